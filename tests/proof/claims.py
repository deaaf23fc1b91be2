"""The claims. Each takes an image of the library and returns in words what was proved, or raises Refused."""

from collections import Counter

from machine import LIST, RESULT, SECRET, TEXT, Machine
from terms import (concat, const, equal, every, extend, extract, fresh, ite, negate, possible, prove, require, some,
                   symbols, term)

BASE64URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # RFC 4648 table 2
PREFIX, WORD = b"ck1_", const(int.from_bytes(b"ck1_", "big"), 32)
CHARACTERS, BYTES, NONCE, ID, TAG, TOKEN = 58, 43, 12, 15, 16, 62
# `verify`'s answers, as the compiler numbers them: those of VerifyError in their order, then Ok.
MALFORMED, INAUTHENTIC, UNLISTED, OK = range(4)
DECODE, VERIFY = "client_keys::base64url::decode", "client_keys::verify::verify_bytes"
ISSUE, ENCRYPT, DECRYPT = "client_keys::issue::seal_and_encode", "encrypt_inout_detached", "decrypt_inout_detached"


def decoded(text):
    """RFC 4648 section 5: whether the text is base64url whose spare bits are zero, and its bytes, the first highest."""
    good, values = [], []
    for character in text:
        alike, value = [equal(character, const(letter, 8)) for letter in BASE64URL], const(0, 6)
        for n, is_it in enumerate(alike):
            value = ite(is_it, const(n, 6), value)
        good.append(some(alike))
        values.append(value)
    bits = concat(values)
    return every([*good, equal(extract(bits, 3, 0), const(0, 4))]), extract(bits, 6 * CHARACTERS - 1, 4)


def only(ends):
    """The one path, if it is one."""
    require(len(ends) == 1, f"decides on the input, {len(ends)} paths, at {[hex(at) for at in ends[0].decided]}")
    return ends[0]


def run_decode(image):
    """`base64url::decode` on any 58 bytes: the text, the verdict, the decoded bytes, the number of instructions."""
    machine, text = Machine(image, [(TEXT, CHARACTERS), (RESULT, BYTES)]), symbols("text", CHARACTERS)
    end = only(machine.run(machine.call(DECODE, [TEXT, RESULT], {TEXT: text})))
    require(machine.bytes(end, TEXT, CHARACTERS) == text, "writes into the text")
    verdict = extract(term(machine.reg(end, machine.target.result), image.bits), 7, 0)
    return text, verdict, concat(machine.bytes(end, RESULT, BYTES)), end.steps


def decode(image):
    text, verdict, got, steps = run_decode(image)
    good, want = decoded(text)
    prove(equal(verdict, ite(good, const(1, 8), const(0, 8))), "the decoder's verdict", example=text)
    prove(equal(got, want), "the decoder's bytes", [good], text)
    return f"one path of {steps} instructions for every text; verdict and bytes are RFC 4648's"


def sealed_parts(machine, state, cipher, nonce, data, length, buffer):
    """Checks AES-GCM's arguments but for the tag. Returns where the text is, which it replaces."""
    source, text, size = machine.loads(state, buffer, machine.target.word, 3)
    expected = SECRET, nonce + NONCE, nonce + NONCE, ID, 4
    require((cipher, source, text, size, length) == expected, "another cipher, place of the text or length")
    prove(equal(concat(machine.bytes(state, data, length)), WORD), "the associated data", state.known)
    return text


class Verify:
    """`verify_bytes` with AES-GCM and the decoder replaced: verdicts, decoded bytes and the id may be anything."""

    def __init__(self, image, count, ids, given=()):
        self.bits, self.token, self.id = image.bits, symbols("token", TOKEN), symbols("id", ID)
        self.payload, self.good, self.forged = symbols("payload", BYTES), fresh("good", 1), fresh("forged", 1)
        length = fresh("length", image.bits)
        self.is_long = equal(length, term(TOKEN, image.bits))
        self.is_text = every([self.is_long, equal(concat(self.token[:4]), WORD)])
        self.is_good = every([self.is_text, equal(self.good, const(1, 1))])
        self.is_right = every([self.is_good, equal(self.forged, const(0, 1))])
        self.words = concat([const(0, 8), *self.id[:7]]), concat(self.id[7:])
        self.machine = Machine(image, [(LIST, 16 * len(ids)), (TEXT, TOKEN), (RESULT, 24)],
                               {image.find(DECRYPT): self.decrypts, image.find(DECODE): self.decodes})
        self.start = self.machine.call(VERIFY, [RESULT, SECRET, LIST, count, TEXT, length],
                                       {TEXT: self.token, RESULT: [0] * 8}, given)
        self.put_ids(self.start, LIST, ids)

    def put_ids(self, state, at, ids):
        for n, word in enumerate(word for words in ids for word in words):
            self.machine.put(state, "ram", at + 8 * n, 8, word)

    def decodes(self, machine, state):
        """base64url::decode(text, bytes), of which `decode` proves that it is right."""
        text, out = machine.arguments(state, 2)
        require(text == TEXT + 4, "decodes something else than what follows the prefix")
        prove(self.is_long, "decodes a token of another length", state.known)
        machine.store(state, out, self.payload)
        machine.returns(state, extend(self.good, self.bits))

    def decrypts(self, machine, state):
        """AeadInOut::decrypt_inout_detached(cipher, nonce, associated data, its length, text, tag)"""
        *parts, tag = machine.arguments(state, 6)
        text = sealed_parts(machine, state, *parts)
        require(tag == text + ID, "another tag than the one behind the text")
        given = machine.bytes(state, text - NONCE, BYTES)
        prove(every([self.is_good, *map(equal, given, self.payload)]), "what is decrypted", state.known)
        machine.store(state, text, self.id)
        machine.returns(state, extend(self.forged, self.bits))

    def is_id(self, words): return every(map(equal, words, self.words))

    def answers(self, end, answer):
        """Whether a path ends with this answer, and, if an id belongs to it, with the id that was decrypted."""
        loaded = self.machine.loads(end, RESULT, 8, 3 if answer in (UNLISTED, OK) else 1)
        tag, *words = (term(word, 64) for word in loaded)
        return every([equal(tag, const(answer, 64)), self.is_id(words)])

    def check(self, ends, listed):
        """Each end of a path answers as it must, and each answer has one path; but the length is public."""
        for name, answer, condition, most in (
            ("another length", MALFORMED, [negate(self.is_long)], len(ends)),
            ("a wrong prefix", MALFORMED, [self.is_long, negate(self.is_text)], 1),
            ("a text that is not base64url", MALFORMED, [self.is_text, negate(self.is_good)], 1),
            ("a forged token", INAUTHENTIC, [self.is_good, negate(self.is_right)], 1),
            ("an unlisted id", UNLISTED, [self.is_right, negate(listed)], 1),
            ("a listed id", OK, [self.is_right, listed], 1),
        ):
            taken = [end for end in ends if possible([*end.known, *condition])]
            for end in taken:
                prove(self.answers(end, answer), f"the answer to {name}", [*end.known, *condition])
            require(len(taken) <= most, f"decides on the input: {len(taken)} paths for {name}")
            require(taken or not possible(condition), f"no path for {name}")


def lists(image):
    for count in (*range(18), 64):
        ids = [symbols(f"id{n}_", 2, 64) for n in range(count)]
        run = Verify(image, count, ids)
        run.check(run.machine.run(run.start), some(map(run.is_id, ids)))
    return "lists of 0 to 17 and of 64 ids: every answer is right and has one path; any length but 62 is malformed"


def issue(image):
    """`issue` after the draw, with AES-GCM replaced: ciphertext and tag may be anything."""
    drawn, sealed, encrypted = symbols("drawn", NONCE + ID), symbols("sealed", ID + TAG), []

    def encrypts(machine, state):
        """AeadInOut::encrypt_inout_detached(result, cipher, nonce, associated data, its length, text)"""
        result, *parts = machine.arguments(state, 6)
        text = sealed_parts(machine, state, *parts)
        encrypted.append(concat(machine.bytes(state, text - NONCE, NONCE + ID)))
        machine.store(state, text, sealed[:ID])
        machine.store(state, result, [0, *sealed[ID:]])  # Ok
        machine.returns(state, 0)

    place = [LIST] if image.bits == 32 else []  # of an id of more than two words
    machine = Machine(image, [(TEXT, BYTES), (RESULT, TOKEN), (LIST, 16)], {image.find(ENCRYPT): encrypts})
    end = only(machine.run(machine.call(ISSUE, [*place, SECRET, TEXT, RESULT], {TEXT: drawn})))
    require(len(encrypted) == 1, "does not encrypt exactly once")
    prove(equal(encrypted[0], concat(drawn)), "what is encrypted")
    token = machine.bytes(end, RESULT, TOKEN)
    good, payload = decoded(token[4:])
    prove(every([good, equal(concat(token[:4]), WORD)]), "the token's prefix and alphabet")
    prove(equal(payload, concat([*drawn[:NONCE], *sealed])), "the token's bytes")
    words = machine.loads(end, LIST, 8, 2) if place else (machine.reg(end, name) for name in ("RAX", "RDX"))
    prove(equal(concat([term(word, 64) for word in words]), concat([const(0, 8), *drawn[NONCE:]])), "the id")
    return f"one path of {end.steps} instructions; the text is the prefix and RFC 4648's of nonce, ciphertext and tag"


def whole(image):
    """What decides in a program that makes and reads a secret, issues after a draw and verifies, with AES and GHASH."""
    machine = Machine(image, [(area, 1024) for area in (SECRET, LIST, TEXT, RESULT)], tainted=True)
    only(machine.run(machine.call("footprint::expanded", [RESULT, TEXT])))
    only(machine.run(machine.call("footprint::issued", [RESULT, SECRET, TEXT])))
    reading = machine.call("footprint::parsed", [RESULT, TEXT, 64])
    read = [end for side in machine.run(reading, until=lambda state: state.decided)
            for end in machine.run(side, until=lambda state: len(state.decided) > 1) if len(end.decided) == 1]
    require(len(read) == 1, "decides on the input: reading digits tells more than whether all are")
    leaky = machine.run(machine.call("footprint::leaky", [LIST, 5, TEXT]), until=lambda state: state.decided)
    require(len(leaky) > 1, "the control, which stops at the id that it finds, decides by nothing")
    ends = machine.run(machine.call("footprint::verified", [RESULT, SECRET, LIST, 64, TEXT, TOKEN], {TEXT: PREFIX}))
    require(all(len(set(end.decided)) == len(end.decided) for end in ends), "an instruction decides twice on a path")
    sites = {at: image.function_at(at) for end in ends for at in end.decided}
    known = "verified", "verify_bytes", DECRYPT
    verdicts = Counter(name for here in sites.values() for name in known if name in str(here))
    require(2 <= verdicts.total() == len(sites) <= 4, f"decides on the input at {sites}")
    return f"verify decides by {dict(verdicts)} verdicts; issue and a new secret by nothing; digits by whether all are"
