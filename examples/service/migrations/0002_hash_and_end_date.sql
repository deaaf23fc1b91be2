-- Keeps a hash of each id instead of the id, and an end date. `service migrate` runs this file after 0001, and so can psql.
-- Running it again changes nothing.
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('client_keys'));
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'client_keys'::regclass AND attname = 'id') THEN
        -- A change of the type writes the table's file anew. An UPDATE would leave the ids in it.
        ALTER TABLE client_keys
            DROP CONSTRAINT client_keys_id_check,
            ALTER COLUMN id TYPE bytea USING sha256(id);
        ALTER TABLE client_keys RENAME COLUMN id TO hash;
        ALTER TABLE client_keys
            ADD CHECK (octet_length(hash) = 32),
            -- The name by which people know a key. As Display of KeyHash.
            ADD COLUMN handle text NOT NULL GENERATED ALWAYS AS (encode(substr(hash, 1, 8), 'hex')) STORED UNIQUE,
            ADD COLUMN expires_at timestamptz, -- refused from this moment on
            -- Dumps and logs of that time may still have the id.
            ADD COLUMN id_was_stored boolean NOT NULL DEFAULT true;
        ALTER TABLE client_keys ALTER COLUMN id_was_stored SET DEFAULT false;
    END IF;
END
$$;
COMMIT;
