#!/usr/bin/env python3
"""client-keys tokens, version 1: issue and verify, on the `cryptography` package."""
import base64, hmac, os, re, sys
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

class Refused(Exception):
    """`verdict` is "malformed", "inauthentic" or "unlisted"; only the last has a `key_id`."""
    def __init__(self, verdict, key_id=None):
        super().__init__(verdict)
        self.verdict, self.key_id = verdict, key_id

def parse_secret(text):  # bytes.fromhex alone would skip white space
    if not re.fullmatch("[0-9A-Fa-f]{64}", text):
        raise ValueError("CLIENT_SECRET: expected 64 hexadecimal digits")
    return bytes.fromhex(text)

def parse_list(text):
    entries = [re.fullmatch("[ \t\n\f\r]*([0-9A-Fa-f]{30})?[ \t\n\f\r]*", entry) for entry in text.split(",")]
    if None in entries:
        raise ValueError(f"CLIENT_KEYS: entry {entries.index(None) + 1}: expected 30 hexadecimal digits")
    return [entry[1].lower() for entry in entries if entry[1]]

def issue(secret, drawn=None):
    drawn = os.urandom(27) if drawn is None else drawn  # nonce and id from one draw
    if len(secret) != 32 or len(drawn) != 27:  # the cipher also takes other lengths
        raise ValueError("expected a secret of 32 bytes and 27 drawn bytes")
    payload = drawn[:12] + AESGCM(secret).encrypt(drawn[:12], drawn[12:], b"ck1_")
    return drawn[12:].hex(), "ck1_" + base64.urlsafe_b64encode(payload).decode().rstrip("=")

def verify(secret, allowed, token):  # `allowed`: ids as parse_list and issue return them
    if len(secret) != 32:
        raise ValueError("expected a secret of 32 bytes")
    # The decoder is lenient, so the pattern decides; [AQgw] are the last characters with 4 zero bits.
    if not re.fullmatch("ck1_[A-Za-z0-9_-]{57}[AQgw]", token):
        raise Refused("malformed")
    payload = base64.urlsafe_b64decode(token[4:] + "==")
    try:
        key_id = AESGCM(secret).decrypt(payload[:12], payload[12:], b"ck1_").hex()
    except InvalidTag:
        raise Refused("inauthentic") from None
    if not sum([hmac.compare_digest(key_id, entry) for entry in allowed]):  # every entry, no early exit
        raise Refused("unlisted", key_id)
    return key_id

if __name__ == "__main__":
    try:
        secret = parse_secret(os.environ.get("CLIENT_SECRET", ""))
        allowed = parse_list(os.environ.get("CLIENT_KEYS", ""))
        match sys.argv[1:]:
            case ["issue"]: print("key_id={}\nkey_access_token={}".format(*issue(secret)))
            case ["verify", token]: print("accepted", verify(secret, allowed, token))
            case _: raise ValueError("usage: client_keys.py issue | verify TOKEN")
    except Refused as refused:
        print(*filter(None, (refused.verdict, refused.key_id)))
        sys.exit(1)
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
