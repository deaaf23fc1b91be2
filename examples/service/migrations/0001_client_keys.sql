-- The allow list as a table: `service migrate` runs this file, and so can psql. Running it again changes nothing.
BEGIN;
-- Two CREATE TABLE IF NOT EXISTS at once can collide (one fails with unique_violation); the lock puts them in a row.
SELECT pg_advisory_xact_lock(hashtext('client_keys'));
CREATE TABLE IF NOT EXISTS client_keys (
    id           bytea       PRIMARY KEY CHECK (octet_length(id) = 15), -- KeyId::to_bytes; encode(id, 'hex') shows it
    -- Whose key it is: all that a person can tell it by, on one line of a terminal.
    label        text        NOT NULL CHECK (label <> '' AND label !~ '[[:cntrl:]]'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    last_used_at timestamptz                                            -- to the minute: see KeyTable::is_listed
);
COMMIT;
