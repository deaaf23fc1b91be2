#!/usr/bin/env python3
"""Writes tests/vectors.json: write_vectors.py [FILE], or `-` for standard output.

Nothing here is random: all bytes come from SHA-256 over a label, so the file is the same every time.
The expected result follows from how a case is made, and is then checked with client_keys.verify."""

import base64, hashlib, hmac, itertools, json, pathlib, sys
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

sys.dont_write_bytecode = True  # no __pycache__ among the sources
from client_keys import issue
from vectors import accumulated, holds

PREFIX = "ck1_"
LENGTH = 62
URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STANDARD_ALPHABET = URL_ALPHABET.replace("-", "+").replace("_", "/")

NOTES = {
    "Accepted": "A good token is refused, or is issued in another way: this implementation does not speak the format.",
    "Alphabet": "A character outside RFC 4648 section 5 is read as another one or skipped: one key has many texts.",
    "AllowList": "The list is not searched as promised: a revoked key is accepted, or a listed one is refused.",
    "AssociatedData": "The prefix is not authenticated: a ciphertext made for another purpose or version passes as a token.",
    "BitFlip": "A bit of the nonce, the ciphertext or the tag is not authenticated.",
    "Case": "Letters are compared without regard to their case.",
    "EdgeValue": "An extreme secret, nonce or id is treated as special, for instance as missing.",
    "ForeignToken": "Another kind of credential is taken for a token.",
    "Length": "The length is not checked: a token has many texts, or the parts are cut in other places.",
    "Padding": "Base64 padding is tolerated: one key has many texts.",
    "Plaintext": "The sealed text is not taken as exactly 15 bytes.",
    "Prefix": "The prefix is not compared exactly.",
    "SpareBits": "The 4 bits that 43 bytes leave in the last character are ignored: one key has 16 texts.",
    "Substitution": "A changed token, still of the right form, is accepted or is reported as malformed.",
    "SwappedParts": "Nonce, ciphertext and tag are not taken in this order, or not bound to each other.",
    "Tag": "The tag is not checked in full.",
    "Unicode": "Text is counted or compared after folding, normalizing or truncating characters.",
    "Unlisted": "An authentic id that is not listed is accepted, or is reported in another way.",
    "WhiteSpace": "White space is trimmed or skipped: one key has many texts.",
    "WrongCipher": "Another cipher or key length is in use.",
    "WrongKey": "The secret is not used whole and as the 32 bytes that its digits encode.",
}


def derived(label, size):
    return hashlib.sha256(b"client-keys vectors: " + label.encode()).digest()[:size]


def text_of(payload, prefix=PREFIX):
    return prefix + base64.urlsafe_b64encode(payload).decode().rstrip("=")


def payload_of(token):
    return base64.urlsafe_b64decode(token[4:] + "==")


def sealed(secret, nonce, plaintext, associated_data=PREFIX.encode(), cipher=AESGCM):
    return nonce + cipher(secret).encrypt(nonce, plaintext, associated_data)


def found(label, wanted):
    """The first drawn bytes, counted up under a label, whose token is as wanted."""
    for i in itertools.count():
        drawn = derived(f"{label} {i}", 27)
        if wanted(issue(SECRET, drawn)[1]):
            return drawn


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Group:
    def __init__(self, comment, secret, allowed):
        self.comment, self.secret, self.allowed, self.tests = comment, secret, [i.hex() for i in allowed], []
        GROUPS.append(self)

    def add(self, comment, flags, token, result, **more):
        assert set(flags) <= set(NOTES), flags
        assert token not in [test["token"] for test in self.tests], f"twice: {comment}"
        number = sum(len(group.tests) for group in GROUPS) + 1
        test = {"tcId": number, "comment": comment, "flags": flags, "token": token, "result": result, **more}
        assert holds({"secret": self.secret.hex(), "allowed": self.allowed}, test), test
        self.tests.append(test)

    def malformed(self, comment, flags, token):
        self.add(comment, flags, token, "malformed")

    def inauthentic(self, comment, flags, payload):
        # Only a text of the right form can be inauthentic: the one encoding of 43 bytes.
        token = text_of(payload) if isinstance(payload, bytes) else payload
        assert len(token) == LENGTH and text_of(payload_of(token)) == token, comment
        self.add(comment, flags, token, "inauthentic")

    def authentic(self, comment, flags, drawn):
        nonce, key_id = drawn[:12], drawn[12:]
        result = "accepted" if key_id.hex() in self.allowed else "unlisted"
        token = text_of(sealed(self.secret, nonce, key_id))
        self.add(comment, flags, token, result, keyId=key_id.hex(), nonce=nonce.hex())


GROUPS = []
SECRET = derived("secret", 32)

# The token that most refusals are made from. It holds both characters in which the alphabets differ,
# and it does not start or end with one.
GOOD_DRAWN = found("good", lambda t: "-" in t[5:-1] and "_" in t[5:-1] and t[4] not in "-_" and t[-1] == "Q")
GOOD = issue(SECRET, GOOD_DRAWN)[1]
BODY = GOOD[4:]
PAYLOAD = payload_of(GOOD)
NONCE, ID = GOOD_DRAWN[:12], GOOD_DRAWN[12:]
CIPHERTEXT, TAG = PAYLOAD[12:27], PAYLOAD[27:]
OTHER_DRAWN = derived("other", 27)
OTHER = sealed(SECRET, OTHER_DRAWN[:12], OTHER_DRAWN[12:])


def name(character):
    return character if " " < character < "\x7f" else f"U+{ord(character):04X}"


def accepted():
    listed = [found(f"listed {c}", lambda t: t[-1] == c) for c in "AQgw"]
    odd = {
        "body starts with the prefix, four times over": base64.b64decode("ck1_ck1_ck1_ck1_", b"-_")
        + derived("odd", 15),
        "nonce is written as hyphens": base64.b64decode("-" * 16, b"-_") + derived("odd", 15),
        "nonce is written as underscores; all its bits are one": b"\xff" * 12 + derived("odd", 15),
        "nonce is all zero": bytes(12) + derived("odd", 15),
        "id is all zero": derived("zero", 12) + bytes(15),
        "id is all ff": derived("ff", 12) + b"\xff" * 15,
        "id's first bytes are zero": derived("leading", 12) + bytes(8) + derived("leading", 7),
        "id's last bytes are zero": derived("trailing", 12) + derived("trailing", 7) + bytes(8),
        "nonce and id are all zero": bytes(27),
        "drawn bytes count up from 0": bytes(range(27)),
    }
    ids = [d[12:] for d in listed] + [GOOD_DRAWN[12:], *(d[12:] for d in odd.values())]
    group = Group("Good tokens", SECRET, ids)
    group.authentic("the token that most refusals below are made from", ["Accepted"], GOOD_DRAWN)
    for drawn, last in zip(listed, "AQgw"):
        group.authentic(f"last character is {last}", ["Accepted"], drawn)
    for comment, drawn in odd.items():
        group.authentic(comment, ["Accepted", "EdgeValue"], drawn)
    group.authentic("another nonce for a listed id", ["Accepted"], derived("second nonce", 12) + ID)

    for comment, secret in [
        ("all zero", bytes(32)),
        ("all ff", b"\xff" * 32),
        ("counting up from 0", bytes(range(32))),
    ]:
        group = Group(f"Secret is {comment}", secret, [ID, bytes(15)])
        group.authentic("good token", ["Accepted", "EdgeValue"], GOOD_DRAWN)
        group.authentic("nonce and id all zero", ["Accepted", "EdgeValue"], bytes(27))
        group.inauthentic("good token of another secret", ["WrongKey"], PAYLOAD)


def lists():
    others = [derived(f"list {i}", 15) for i in range(40)]
    for comment, allowed in [
        ("only id", [ID]),
        ("first of 41", [ID, *others]),
        ("in the middle of 41", [*others[:20], ID, *others[20:]]),
        ("last of 41", [*others, ID]),
        ("twice in a row", [others[0], ID, ID, others[1]]),
        ("first and last", [ID, *others, ID]),
        ("after the 120 ids that differ in one bit", [*(flipped(ID, bit) for bit in range(120)), ID]),
    ]:
        group = Group(f"Listed: {comment}", SECRET, allowed)
        group.authentic("listed", ["Accepted", "AllowList"], GOOD_DRAWN)
        group.authentic("unlisted", ["Unlisted", "AllowList"], OTHER_DRAWN)

    # Each list matches the id only when its entries are taken together, or in part.
    halves = [ID[:8] + bytes(b ^ 0xFF for b in ID[8:]), bytes(b ^ 0xFF for b in ID[:8]) + ID[8:]]
    single = [bytes(b if i == at else b ^ 0xFF for i, b in enumerate(ID)) for at in range(15)]
    for comment, allowed in [
        ("the list is empty", []),
        ("the list holds the id all zero only", [bytes(15)]),
        ("the list holds the id all ff only", [b"\xff" * 15]),
        ("the list holds the 120 ids that differ in one bit", [flipped(ID, bit) for bit in range(120)]),
        ("the list holds each half of the id in another entry", halves),
        ("the list holds each byte of the id in another entry", single),
        (
            "the list holds the id backwards, inverted, and shifted by a byte",
            [ID[::-1], bytes(b ^ 0xFF for b in ID), ID[1:] + ID[:1]],
        ),
        (
            "the list holds the nonce and three bytes, the ciphertext, and the tag without its last byte",
            [NONCE + bytes(3), CIPHERTEXT, TAG[:15]],
        ),
    ]:
        group = Group(f"Unlisted: {comment}", SECRET, allowed)
        group.authentic("authentic, but not listed", ["Unlisted", "AllowList"], GOOD_DRAWN)
        group.inauthentic("the tag's last bit flipped", ["BitFlip"], flipped(PAYLOAD, 336))
    group = Group("Unlisted: special ids", SECRET, [ID])
    group.authentic("id is all zero", ["Unlisted", "EdgeValue"], derived("zero", 12) + bytes(15))
    group.authentic("id is all ff", ["Unlisted", "EdgeValue"], derived("ff", 12) + b"\xff" * 15)
    group.authentic(
        "id is the first 15 digits of the listed id, sealed as text",
        ["Unlisted", "Plaintext"],
        derived("digits", 12) + ID.hex()[:15].encode(),
    )


def lengths(group):
    for length in range(125):
        if length < LENGTH:
            group.malformed(f"first {length} characters", ["Length"], GOOD[:length])
        elif length > LENGTH:
            group.malformed(f"{length} characters: followed by As", ["Length"], GOOD.ljust(length, "A"))
            group.malformed(f"{length} characters: followed by itself", ["Length"], (GOOD + GOOD)[:length])
    group.malformed("an A, then the first 61 characters", ["Length"], "A" + GOOD[:-1])
    group.malformed("without the first character", ["Length", "Prefix"], GOOD[1:])
    group.malformed("one character left out of the body", ["Length"], GOOD[:30] + GOOD[31:])
    group.malformed("one character twice in the body", ["Length"], GOOD[:30] + GOOD[29:])


def prefixes(group):
    for prefix in [
        "ck0_", "ck2_", "ck9_", "ckl_", "ckI_", "ck!_", "CK1_", "Ck1_", "cK1_", "ck1-", "ck1.", "ck1 ", "ck1\n",
        "ck1\0", "ck1A", "kc1_", "sk1_", "c_1k", "_1kc", "AAAA", "____", "ck-1", "ck_1",
    ]:
        flags = ["Prefix", "Case"] if prefix.lower() == PREFIX else ["Prefix"]
        group.malformed(f"prefix {json.dumps(prefix)}", flags, prefix + BODY)
    for prefix in [
        "", "_", "1_", "ck1", "ck_", "ck11_", "ck1__", "ck01_", "ck10_", "ck1_ck1_", "ck1_ ", "ck1:", "ck1%5F",
        "v1.ck1_", "Bearer ck1_", "bearer ck1_", "Bearer  ck1_", "Bearer", "Bearer ", "Token ck1_", "Basic ck1_",
        "key_access_token=ck1_", "Authorization: Bearer ck1_", '"ck1_', "(ck1_",
    ]:
        group.malformed(f"in place of the prefix: {json.dumps(prefix)}", ["Prefix", "Length"], prefix + BODY)
    group.malformed("in double quotes", ["Prefix", "Length"], f'"{GOOD}"')
    group.malformed("prefix after the body", ["Prefix"], BODY + PREFIX)
    group.malformed("prefix at both ends, 62 characters", ["SpareBits"], (PREFIX + BODY)[:58] + PREFIX)
    group.malformed("text backwards", ["Prefix"], GOOD[::-1])
    group.inauthentic(
        "prefix twice, 62 characters, of the right form", ["Prefix", "Substitution"], PREFIX + PREFIX + BODY[4:]
    )
    group.malformed(
        "sealed and written with the prefix ck2_",
        ["Prefix", "AssociatedData"],
        text_of(sealed(SECRET, NONCE, ID, b"ck2_"), "ck2_"),
    )
    group.malformed(
        "sealed and written with the prefix CK1_",
        ["Prefix", "Case", "AssociatedData"],
        text_of(sealed(SECRET, NONCE, ID, b"CK1_"), "CK1_"),
    )
    group.malformed(
        "sealed with no associated data and written without a prefix",
        ["Prefix", "AssociatedData"],
        text_of(sealed(SECRET, NONCE, ID, b""), ""),
    )


def texts(group):
    """The same bytes, or what a lenient decoder takes for them, in another text."""
    for padding in ["=", "==", "===", "%3D%3D", "=A"]:
        group.malformed(f"followed by {padding}", ["Padding", "Length"], GOOD + padding)
    group.malformed("last character is =", ["Padding"], GOOD[:-1] + "=")
    group.malformed("last two characters are ==", ["Padding"], GOOD[:-2] + "==")
    group.malformed("= in the middle", ["Padding"], GOOD[:33] + "=" + GOOD[34:])
    group.malformed("body is only =", ["Padding"], PREFIX + "=" * 58)

    spaces = [
        " ", "\t", "\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u00a0", "\u2003", "\u2028", "\u3000", "\ufeff",
        "\u200b",
    ]
    for space in spaces:
        flags = ["WhiteSpace"] if space.isascii() else ["WhiteSpace", "Unicode"]
        shown = "CR LF" if space == "\r\n" else name(space)
        group.malformed(f"followed by {shown}", flags, GOOD + space)
        group.malformed(f"after {shown}", flags, space + GOOD)
        group.malformed(f"{shown} in place of as many characters", flags, GOOD[:40] + space + GOOD[40 + len(space) :])
    group.malformed("last character is LF", ["WhiteSpace"], GOOD[:-1] + "\n")
    group.malformed("one character left out, LF at the end", ["WhiteSpace"], GOOD[:-2] + GOOD[-1] + "\n")
    group.malformed("LF between prefix and body", ["WhiteSpace"], PREFIX + "\n" + BODY)
    group.malformed("folded after 31 characters", ["WhiteSpace"], GOOD[:31] + "\r\n " + GOOD[31:])
    group.malformed("two tokens, one on each line", ["WhiteSpace"], f"{GOOD}\n{text_of(OTHER)}")

    standard = BODY.translate(str.maketrans("-_", "+/"))
    group.malformed("standard alphabet: + and /", ["Alphabet"], PREFIX + standard)
    group.malformed("standard alphabet and padding", ["Alphabet", "Padding"], PREFIX + standard + "==")
    group.malformed("+ for -", ["Alphabet"], PREFIX + BODY.replace("-", "+"))
    group.malformed("/ for _", ["Alphabet"], PREFIX + BODY.replace("_", "/"))
    group.malformed(", for _ (RFC 3501)", ["Alphabet"], PREFIX + BODY.replace("_", ","))
    group.malformed("~ for _", ["Alphabet"], PREFIX + BODY.replace("_", "~"))
    group.malformed("U+2010 for -", ["Alphabet", "Unicode"], PREFIX + BODY.replace("-", "\u2010"))
    group.malformed("percent-encoded", ["Alphabet", "Length"], GOOD.replace("_", "%5F"))
    group.malformed("payload in hexadecimal digits", ["Alphabet", "Length"], PREFIX + PAYLOAD.hex())
    group.malformed(
        "payload in base32", ["Alphabet", "Length"], PREFIX + base64.b32encode(PAYLOAD).decode().rstrip("=")
    )
    for character in "/:@[`{+,.~=!%*$#\\\"'&;<>?^|}()\0\x01\x1f\x7f":
        group.malformed(f"{name(character)} in the body", ["Alphabet"], GOOD[:25] + character + GOOD[26:])
    for character in ".@[`{/\0\x7f":
        group.malformed(f"last character is {name(character)}", ["Alphabet"], GOOD[:-1] + character)
    group.malformed("followed by NUL", ["Alphabet", "Length"], GOOD + "\0")
    group.malformed("NUL from character 11 on, where a C string would end", ["Alphabet"], GOOD[:10] + "\0" * 52)
    group.malformed("body is only NUL", ["Alphabet"], PREFIX + "\0" * 58)

    # Each once as 62 characters and once as 62 bytes, because these characters take several bytes.
    for character, comment in [
        ("\u00e9", "e with an acute accent"),
        ("\u0141", "low byte is A"),
        ("\u0130", "lower case starts with i"),
        ("\u017f", "folds to s"),
        ("\u212a", "folds to k"),
        ("\uff21", "fullwidth A"),
        ("\uff3f", "fullwidth _"),
        ("\u0661", "an Arabic-Indic digit"),
        ("\U0001f511", "an emoji"),
        ("\U0001d400", "a mathematical A"),
    ]:
        size = len(character.encode())
        group.malformed(
            f"{name(character)} ({comment}), 62 characters", ["Unicode", "Alphabet"], GOOD[:20] + character + GOOD[21:]
        )
        group.malformed(
            f"{name(character)} ({comment}), 62 bytes",
            ["Unicode", "Alphabet"],
            GOOD[:20] + character + GOOD[20 + size :],
        )
    group.malformed(
        "all characters raised by U+0100, so that each low byte is right",
        ["Unicode", "Alphabet"],
        "".join(chr(ord(c) + 0x100) for c in GOOD),
    )
    group.malformed("all characters fullwidth", ["Unicode", "Alphabet"], "".join(chr(ord(c) + 0xFEE0) for c in GOOD))
    group.malformed("prefix with the Kelvin sign", ["Unicode", "Prefix", "Case"], "c\u212a1_" + BODY)
    group.malformed("prefix with a Cyrillic letter", ["Unicode", "Prefix"], "\u0441k1_" + BODY)
    group.malformed("prefix with a fullwidth 1", ["Unicode", "Prefix"], "ck\uff11_" + BODY)
    group.malformed("a combining accent after the last character", ["Unicode", "Length"], GOOD + "\u0301")

    last = URL_ALPHABET.index(GOOD[-1])
    for spare in range(1, 16):
        group.malformed(f"same bytes, spare bits {spare:04b}", ["SpareBits"], GOOD[:-1] + URL_ALPHABET[last + spare])
    group.malformed("all upper case", ["Case", "Prefix"], GOOD.upper())
    group.malformed("all in the other case", ["Case", "Prefix"], GOOD.swapcase())
    group.malformed("all lower case", ["Case", "SpareBits"], GOOD.lower())


def alterations(group):
    for byte in range(43):
        part = "nonce" if byte < 12 else "ciphertext" if byte < 27 else "tag"
        group.inauthentic(
            f"bit {byte % 8} of byte {byte} flipped ({part})", ["BitFlip"], flipped(PAYLOAD, byte * 8 + byte % 8)
        )
    for at in [4, 19, 20, 39, 40, 60]:  # both ends of nonce, ciphertext and tag
        other = URL_ALPHABET[(URL_ALPHABET.index(GOOD[at]) + 1) % 64]
        group.inauthentic(
            f"character {at + 1} is the next of the alphabet", ["Substitution"], GOOD[:at] + other + GOOD[at + 1 :]
        )
    for last in "AQgw".replace(GOOD[-1], ""):
        group.inauthentic(
            f"last character is {last}: spare bits zero, one or two bits of the tag changed",
            ["Substitution"],
            GOOD[:-1] + last,
        )
    at = next(i for i in range(4, 60) if GOOD[i] != GOOD[i + 1])
    group.inauthentic(
        "two neighbouring characters swapped", ["Substitution"], GOOD[:at] + GOOD[at + 1] + GOOD[at] + GOOD[at + 2 :]
    )
    at = next(i for i in range(4, 61) if GOOD[i].isalpha())
    group.inauthentic(
        "one letter of the body in the other case",
        ["Substitution", "Case"],
        GOOD[:at] + GOOD[at].swapcase() + GOOD[at + 1 :],
    )
    group.inauthentic("- and _ exchanged", ["Substitution"], PREFIX + BODY.translate(str.maketrans("-_", "_-")))
    group.inauthentic("body moved by one character", ["Substitution"], PREFIX + "Q" + BODY[:-2] + "Q")
    group.inauthentic("body of As", ["Substitution", "EdgeValue"], bytes(43))
    group.inauthentic("payload is all ff", ["Substitution", "EdgeValue"], b"\xff" * 43)

    for data in [
        b"",
        b"ck2_",
        b"ck0_",
        b"ck1",
        b"CK1_",
        b"ck1_\0",
        b"ck1_ck1_",
        b"ck1_\n",
        b"_1kc",
        bytes(4),
        b"ck1_" + NONCE,
        b"1",
        b"\x01",
    ]:
        group.inauthentic(
            f"associated data {json.dumps(data.decode('latin-1'))}", ["AssociatedData"], sealed(SECRET, NONCE, ID, data)
        )

    parts = {"nonce": NONCE, "ciphertext": CIPHERTEXT, "tag": TAG}
    for order in list(itertools.permutations(parts))[1:]:
        group.inauthentic(
            "parts in the order " + ", ".join(order), ["SwappedParts"], b"".join(parts[part] for part in order)
        )
    for comment, payload in [
        ("nonce of another token", OTHER[:12] + PAYLOAD[12:]),
        ("ciphertext of another token", PAYLOAD[:12] + OTHER[12:27] + TAG),
        ("tag of another token", PAYLOAD[:27] + OTHER[27:]),
        ("nonce backwards", NONCE[::-1] + CIPHERTEXT + TAG),
        ("ciphertext backwards", NONCE + CIPHERTEXT[::-1] + TAG),
        ("tag backwards", NONCE + CIPHERTEXT + TAG[::-1]),
        ("payload backwards", PAYLOAD[::-1]),
        ("halves of the tag swapped", PAYLOAD[:27] + TAG[8:] + TAG[:8]),
        ("id unsealed in place of the ciphertext", NONCE + ID + TAG),
        ("nonce zero, the rest in place", bytes(12) + CIPHERTEXT + TAG),
        ("ciphertext zero, the rest in place", NONCE + bytes(15) + TAG),
    ]:
        group.inauthentic(comment, ["SwappedParts"], payload)
    for comment, tag in [
        ("zero", bytes(16)),
        ("ff", b"\xff" * 16),
        ("inverted", bytes(b ^ 0xFF for b in TAG)),
        ("cut to 4 bytes, then zeros", TAG[:4] + bytes(12)),
        ("cut to 8 bytes, then zeros", TAG[:8] + bytes(8)),
        ("cut to 12 bytes, then zeros", TAG[:12] + bytes(4)),
        ("cut to 15 bytes, then a wrong one", TAG[:15] + bytes([TAG[15] ^ 0x80])),
        ("right but for its first 4 bytes", bytes(4) + TAG[4:]),
        ("first 4 bytes, four times", TAG[:4] * 4),
    ]:
        group.inauthentic(f"tag is {comment}", ["Tag"], NONCE + CIPHERTEXT + tag)
    for size in [0, 4, 8, 12, 15]:
        group.malformed(
            f"tag of {size} bytes, the token as much shorter", ["Tag", "Length"], text_of(PAYLOAD[: 27 + size])
        )
    longer = sealed(SECRET, NONCE, ID + derived("longer", 4))
    group.inauthentic("43 bytes with a plaintext of 19 and the first 12 of its tag", ["Tag", "Plaintext"], longer[:43])
    group.inauthentic(
        "43 bytes with a nonce of 8 and a plaintext of 19",
        ["Plaintext"],
        sealed(SECRET, NONCE[:8], ID + derived("longer", 4)),
    )
    group.inauthentic(
        "43 bytes with a nonce of 16 and a plaintext of 11",
        ["Plaintext"],
        sealed(SECRET, NONCE + derived("wide", 4), ID[:11]),
    )
    for comment, plaintext in [
        ("empty", b""),
        ("1 byte", ID[:1]),
        ("14 bytes", ID[:14]),
        ("16 bytes", ID + b"\0"),
        ("the id's 30 digits as text", ID.hex().encode()),
        ("the id in standard base64", base64.b64encode(ID)),
        ("JSON", json.dumps({"key_id": ID.hex()}).encode()),
    ]:
        group.malformed(f"plaintext is {comment}", ["Plaintext", "Length"], text_of(sealed(SECRET, NONCE, plaintext)))

    for comment, secret in [
        ("another secret", derived("wrong secret", 32)),
        ("first bit of the secret flipped", flipped(SECRET, 7)),
        ("last bit of the secret flipped", flipped(SECRET, 248)),
        ("secret backwards", SECRET[::-1]),
        ("halves of the secret swapped", SECRET[16:] + SECRET[:16]),
        ("secret all zero", bytes(32)),
        ("key is the first 32 digits of the secret, as text", SECRET.hex()[:32].encode()),
        ("key is the last 32 digits of the secret, as text", SECRET.hex()[32:].encode()),
        ("key is SHA-256 of the secret", hashlib.sha256(SECRET).digest()),
        ("key is SHA-256 of the secret's digits", hashlib.sha256(SECRET.hex().encode()).digest()),
    ]:
        group.inauthentic(comment, ["WrongKey"], sealed(secret, NONCE, ID))
    group.inauthentic(
        "AES-128-GCM, key is the secret's first half", ["WrongCipher", "WrongKey"], sealed(SECRET[:16], NONCE, ID)
    )
    group.inauthentic(
        "AES-128-GCM, key is the secret's second half", ["WrongCipher", "WrongKey"], sealed(SECRET[16:], NONCE, ID)
    )
    group.inauthentic(
        "AES-192-GCM, key is the secret's first 24 bytes", ["WrongCipher", "WrongKey"], sealed(SECRET[:24], NONCE, ID)
    )
    group.inauthentic("ChaCha20-Poly1305", ["WrongCipher"], sealed(SECRET, NONCE, ID, cipher=ChaCha20Poly1305))
    group.inauthentic("AES-256-CCM", ["WrongCipher"], sealed(SECRET, NONCE, ID, cipher=AESCCM))


def foreign(group):
    def jwt(header, key):
        signed = ".".join(
            text_of(json.dumps(part, separators=(",", ":")).encode(), "") for part in (header, {"key_id": ID.hex()})
        )
        return f"{signed}." + (text_of(hmac.digest(key, signed.encode(), "sha256"), "") if key else "")

    rails = jwt({"alg": "HS256"}, SECRET.hex().encode())
    group.malformed("JWT as the Rails service makes it from the same secret and id", ["ForeignToken"], rails)
    group.malformed("the same JWT after the prefix", ["ForeignToken"], PREFIX + rails)
    group.malformed("the same JWT after the prefix, cut to 62 characters", ["ForeignToken"], (PREFIX + rails)[:LENGTH])
    group.malformed("JWT signed with the secret's bytes", ["ForeignToken"], jwt({"alg": "HS256", "typ": "JWT"}, SECRET))
    group.malformed("JWT without a signature", ["ForeignToken"], jwt({"alg": "none"}, b""))
    group.malformed("the listed id itself", ["ForeignToken"], ID.hex())
    group.malformed("the listed id after the prefix", ["ForeignToken"], PREFIX + ID.hex())
    group.malformed("62 characters of base64url without a prefix", ["ForeignToken"], (BODY + BODY)[:61] + "A")
    group.malformed("null", ["ForeignToken"], "null")
    group.malformed("undefined", ["ForeignToken"], "undefined")


def suite():
    accepted()
    lists()
    lengths(Group("Wrong lengths", SECRET, [ID]))
    prefixes(Group("Wrong prefixes", SECRET, [ID]))
    texts(Group("Other texts for the same bytes", SECRET, [ID]))
    alterations(Group("Altered, reordered, or sealed in another way", SECRET, [ID, CIPHERTEXT]))
    foreign(Group("Other credentials", SECRET, [ID]))
    used = {flag for group in GROUPS for test in group.tests for flag in test["flags"]}
    assert used == set(NOTES), used ^ set(NOTES)
    label, secret, count = "client-keys accumulated vector", derived("accumulated", 32), 10_000
    return {
        "format": "client-keys token, version 1",
        "algorithm": "AES-256-GCM",
        "generator": "tests/interop/write_vectors.py on pyca/cryptography",
        "notes": NOTES,
        "numberOfTests": sum(len(group.tests) for group in GROUPS),
        "testGroups": [
            {"comment": g.comment, "secret": g.secret.hex(), "allowed": g.allowed, "tests": g.tests} for g in GROUPS
        ],
        "accumulated": {
            "comment": "SHA-256 over the texts of count tokens, one after the other; the drawn bytes (nonce, then id) of token i "
            "are the first 27 of SHA-256(label || i as 4 bytes, big-endian), i from 0",
            "secret": secret.hex(),
            "label": label,
            "count": count,
            "sha256": accumulated(secret, label, count),
        },
    }


def lines(value, depth=0):
    """JSON with one line for each test and each list of ids, so that a difference is one line as well."""
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict) and "tcId" not in value:
        members = [f"{json.dumps(key)}: {lines(member, depth + 1)}" for key, member in value.items()]
        return "{\n" + ",\n".join(inner + member for member in members) + f"\n{outer}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + lines(item, depth + 1) for item in value) + f"\n{outer}]"
    return json.dumps(value)


if __name__ == "__main__":
    default = pathlib.Path(__file__).resolve().parent.parent / "vectors.json"
    target = sys.argv[1] if len(sys.argv) > 1 else default
    written = lines(suite()) + "\n"
    if target == "-":
        sys.stdout.write(written)
    else:
        pathlib.Path(target).write_text(written, encoding="ascii", newline="\n")
