"""The claims. Each takes an image of the library and returns what was proved in words, or raises Refused."""

from collections import Counter

from machine import LIST, RESULT, SECRET, STOP, TEXT, Machine
from terms import (Tainted, Unknown, concat, const, equal, every, extend, extract, fresh, ite, negate, possible, prove,
                   require, some, symbols, term)

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # RFC 4648 table 2
PREFIX = b"ck1_"
CHARACTERS, BYTES, NONCE, ID, TAG, TOKEN = 58, 43, 12, 15, 16, 62
# `verify`'s answers, as the compiler numbers them: those of VerifyError in their order, then Ok.
MALFORMED, INAUTHENTIC, UNLISTED, OK = range(4)
DECODE, OPEN = "client_keys::base64url::decode", "client_keys::seal::open"
VERIFY, ISSUE = "client_keys::verify::verify_bytes", "client_keys::issue::seal_and_encode"

def is_text(cells, text):
    return every(equal(term(cell, 8), const(byte, 8)) for cell, byte in zip(cells, text, strict=True))

def values_of(text, alphabet):
    """Whether all characters are in an alphabet, each of whose entries has one value, and the values."""
    good, values, bits = [], [], (len(alphabet) - 1).bit_length()
    for character in text:
        value, alike = const(0, bits), []
        for n, letters in enumerate(alphabet):
            alike.append(some(equal(character, const(letter, 8)) for letter in letters))
            value = ite(alike[-1], const(n, bits), value)
        good.append(some(alike))
        values.append(value)
    return every(good), concat(values)

def decoded(text):
    """RFC 4648 section 5: whether the text is base64url whose spare bits are zero, and its bytes, the first highest."""
    good, bits = values_of(text, [[letter] for letter in ALPHABET])
    spare = 6 * CHARACTERS - 8 * BYTES
    return every([good, equal(extract(bits, spare - 1, 0), const(0, spare))]), extract(bits, 6 * CHARACTERS - 1, spare)

def only(ends):
    """The one path, if it is one."""
    places = sorted({hex(at) for end in ends for at, _ in end.path})
    require(len(ends) == 1, f"decides on the input, {len(ends)} paths, at {', '.join(places)}")
    return ends[0]

def run_decode(image):
    """`base64url::decode` on 58 bytes that may be anything: the text, the verdict, the bytes, the number of instructions."""
    machine, text = Machine(image, [(TEXT, CHARACTERS), (RESULT, BYTES)]), symbols("text", CHARACTERS)
    end = only(machine.run(machine.call(DECODE, [TEXT, RESULT], {TEXT: text})))
    require(not end.written & set(range(TEXT, TEXT + CHARACTERS)), "writes into the text")
    verdict = term(machine.reg(end, machine.target.results.split()[0]), image.bits)
    return text, extract(verdict, 7, 0), concat(machine.bytes(end, RESULT, BYTES)), end.steps

def decode(image):
    text, verdict, got, steps = run_decode(image)
    good, want = decoded(text)
    prove(equal(verdict, ite(good, const(1, 8), const(0, 8))), "the decoder's verdict", example=text)
    prove(equal(got, want), "the decoder's bytes", [good], text)
    return f"one path of {steps} instructions for every text; verdict and bytes are RFC 4648's"

def digits(image):
    """`hex::decode` on 30 and 64 characters, an id's and a secret's. A text that is refused is searched for what is wrong
    with it: only the others must take one path."""
    paths = []
    for count in (15, 32):
        text = symbols("character", 2 * count)
        good, value = values_of(text, [{digit, *bytes([digit]).upper()} for digit in b"0123456789abcdef"])
        areas = [(TEXT, 2 * count), (RESULT, count), (LIST, 64)]
        machine = Machine(image, areas, feasible=lambda known: possible([good, *known]))
        end = only(machine.run(machine.call("client_keys::hex::decode", [LIST, TEXT, 2 * count, RESULT, count], {TEXT: text})))
        require(len(end.path) == 1, f"{len(end.path)} decisions on a text that is accepted")
        prove(equal(end.known[0], good), "decides by whether all are digits")
        prove(equal(concat(machine.bytes(end, RESULT, count)), value), "the digits' bytes", [good], text)
        paths.append(end.steps)
    return "one path of {} instructions for every id, one of {} for every secret; the bytes are RFC 4648's".format(*paths)

def sealed_parts(machine, state, cipher, nonce, data, length, buffer):
    """Checks AES-GCM's arguments but for the tag. Returns where the text is, which it replaces."""
    source, text, size = (machine.load(state, buffer + n * machine.target.word) for n in range(3))
    require(cipher == SECRET, "another cipher than the secret's")
    require((source - nonce, text - nonce, size) == (NONCE, NONCE, ID), "another text than that behind the nonce")
    require(length == len(PREFIX), "the associated data has another length")
    prove(is_text(machine.bytes(state, data, length), PREFIX), "the associated data", state.known)
    return text

class Verify:
    """`verify_bytes` with AES-GCM and the decoder replaced: the decoded bytes and the id may be anything, and the verdicts."""
    def __init__(self, image, count, ids, length=TOKEN, machine=Machine, **more):
        self.bits, self.token, self.id = image.bits, symbols("token", TOKEN), symbols("id", ID)
        self.payload, verdicts = symbols("payload", BYTES), symbols("verdict", 2, 1)
        self.good, self.forged = verdicts
        self.prefixed = is_text(self.token[:len(PREFIX)], PREFIX)
        self.is_good, self.is_forged = (equal(verdict, const(1, 1)) for verdict in verdicts)
        self.is_right = every([self.prefixed, self.is_good, negate(self.is_forged)])
        self.words = concat([const(0, 8), *self.id[:7]]), concat(self.id[7:])
        hooks = {image.find("decrypt_inout_detached"): self.decrypts, image.find(DECODE): self.decodes}
        require(None not in hooks, "there is no function to be replaced")
        self.machine = machine(image, [(LIST, 16 * len(ids)), (TEXT, TOKEN), (RESULT, 24)], hooks, **more)
        self.start = self.machine.call(VERIFY, [RESULT, SECRET, LIST, count, TEXT, length], {TEXT: self.token})
        self.put_ids(self.start, LIST, ids)

    @staticmethod
    def put_ids(state, at, ids):
        for n, words in enumerate(ids):
            state.cells["ram"].update((at + 16 * n + i, (words[i // 8], i % 8)) for i in range(16))

    def decodes(self, machine, state):
        """base64url::decode(text, bytes), of which `decode` proves that it is right."""
        text, out = machine.arguments(state, 2)
        require(text == TEXT + len(PREFIX), "decodes something else than what follows the prefix")
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

    def is_id(self, words):
        return every(map(equal, words, self.words))

    def answers(self, end, answer):
        """Whether a path ends with this answer, and, if an id belongs to it, with the id that was decrypted."""
        size = 8 if RESULT + 4 in end.written else 4
        is_answer = equal(term(self.machine.load(end, RESULT, size), 8 * size), const(answer, 8 * size))
        if answer in (MALFORMED, INAUTHENTIC):
            return is_answer
        return every([is_answer, self.is_id([term(self.machine.load(end, RESULT + n, 8), 64) for n in (8, 16)])])

    def check(self, ends, listed, given=()):
        """Each end of a path answers as it must, and each answer has one path."""
        for name, answer, condition in (
            ("a wrong prefix", MALFORMED, [negate(self.prefixed)]),
            ("a text that is not base64url", MALFORMED, [self.prefixed, negate(self.is_good)]),
            ("a forged token", INAUTHENTIC, [self.prefixed, self.is_good, self.is_forged]),
            ("an unlisted id", UNLISTED, [self.is_right, negate(listed)]), ("a listed id", OK, [self.is_right, listed]),
        ):
            taken = [end for end in ends if possible([*given, *end.known, *condition])]
            for end in taken:
                prove(self.answers(end, answer), f"the answer to {name}", [*given, *end.known, *condition])
            require(len(taken) < 2, f"decides on the input: {len(taken)} paths for {name}")
            require(taken or not possible([*given, *condition]), f"no path for {name}")

def lengths(image):
    """Tokens of every length but 62."""
    length = fresh("length", image.bits)
    other, decoding = negate(equal(length, const(TOKEN, image.bits))), []
    run = Verify(image, 0, [], length)
    run.machine.hooks[image.find(DECODE)] = lambda _, state: (decoding.append(state), setattr(state, "pc", STOP))
    ends = [end for end in run.machine.run(run.start) if possible([*end.known, other])]
    require(ends, "no path for another length")
    for end in ends:
        require(end not in decoding, "decodes a token of another length")
        prove(run.answers(end, MALFORMED), "the answer to another length", [*end.known, other])
    return "a token of any length but 62 is malformed"

def lists(image):
    for count in (*range(18), 64):
        ids = [symbols(f"id{n}_", 2, 64) for n in range(count)]
        run = Verify(image, count, ids)
        run.check(run.machine.run(run.start), some(map(run.is_id, ids)))
    return "lists of 0 to 17 and of 64 ids: every answer is right and has one path"

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

    hook, place = image.find("encrypt_inout_detached"), [LIST] if image.bits == 32 else []  # of an id of more than two words
    require(hook, "there is no function to be replaced")
    machine = Machine(image, [(TEXT, BYTES), (RESULT, TOKEN), (LIST, 16)], {hook: encrypts})
    end = only(machine.run(machine.call(ISSUE, [*place, SECRET, TEXT, RESULT], {TEXT: drawn})))
    require(len(encrypted) == 1, "does not encrypt exactly once")
    prove(equal(encrypted[0], concat(drawn)), "what is encrypted")
    token = machine.bytes(end, RESULT, TOKEN)
    good, payload = decoded(token[len(PREFIX):])
    prove(is_text(token[:len(PREFIX)], PREFIX), "the token's prefix")
    prove(good, "the token's text is base64url")
    prove(equal(payload, concat([*drawn[:NONCE], *sealed])), "the token's bytes", example=[*drawn, *sealed])
    words = [machine.load(end, LIST + n, 8) for n in (0, 8)] if place else map(lambda r: machine.reg(end, r), ("RAX", "RDX"))
    prove(equal(concat([term(word, 64) for word in words]), concat([const(0, 8), *drawn[NONCE:]])), "the id that is returned")
    return f"one path of {end.steps} instructions; the text is the prefix and RFC 4648's of nonce, ciphertext and tag"

def whole(image):
    """All of `verify`, of `issue` after the draw, and of making a secret, AES and GHASH with them: what decides."""
    unknown = lambda size: [Unknown() for _ in range(size)]
    memory = {SECRET: unknown(1024), LIST: unknown(5 * 16), TEXT: [*PREFIX, *unknown(CHARACTERS)], RESULT: unknown(64)}
    machine, sites, verdicts = Machine(image, [(area, 1024) for area in memory], values=Tainted), set(), Counter()
    for function, arguments in (
        (VERIFY, [RESULT, SECRET, LIST, 5, TEXT, TOKEN]), (ISSUE, [LIST, SECRET, TEXT, RESULT]),
        ("client_keys::secret::ClientSecret::from_bytes", [SECRET, TEXT]),
    ):
        for end in machine.run(machine.call(function, arguments, memory)):
            for at, times in Counter(at for at, _ in end.path).items():
                require(function == VERIFY and times == 1, f"{function} decides on the input, {times} times at {at:x}")
                sites.add(at)
        memory[TEXT] = unknown(TOKEN)
    for at in sites:
        here = image.function_at(at)
        names = [name for name in (VERIFY, OPEN, "decrypt_inout_detached") if here == image.function_at(image.find(name))]
        require(names, f"decides on the input at {at:x} in {here}")
        verdicts[names[0].split("::")[-1]] += 1
    require(2 <= len(sites) <= 4, f"{len(sites)} instructions decide: {dict(verdicts)}")
    return f"verify decides by its verdicts only, {dict(verdicts)}; issue and a new secret by nothing"
