"""Bit-vector terms of bitwuzla, and what p-code's operations make of them: a value is an int, which is known, or a term,
which depends on the input. A condition is a term, too."""

from functools import reduce

from bitwuzla import Bitwuzla, Kind, Option, Options, Result, TermManager
from pypcode import OpCode as O

TM = TermManager()

class Refused(Exception):
    """The claim is refuted, or cannot be proved. Either way the run fails."""

def require(condition, complaint):
    if not condition:
        raise Refused(complaint)

# What bitwuzla offers, in fewer words. `concat` takes the most significant part first.
def bv(kind, *args, idx=()): return TM.mk_term(kind, list(args), list(idx))
def const(value, bits): return TM.mk_bv_value(TM.mk_bv_sort(bits), value & ((1 << bits) - 1))
def fresh(name, bits): return TM.mk_const(TM.mk_bv_sort(bits), name)
def symbols(name, count, bits=8): return [fresh(f"{name}{n}", bits) for n in range(count)]
def term(value, bits): return const(value, bits) if isinstance(value, int) else value
def size(value): return value.sort().bv_size()
def ite(condition, yes, no): return bv(Kind.ITE, condition, yes, no)
def equal(a, b): return bv(Kind.EQUAL, a, b)
def negate(a): return bv(Kind.NOT, a)
def every(terms): return reduce(lambda a, b: bv(Kind.AND, a, b), terms, TM.mk_true())
def some(terms): return reduce(lambda a, b: bv(Kind.OR, a, b), terms, TM.mk_false())
def extract(value, high, low): return bv(Kind.BV_EXTRACT, value, idx=(high, low))
def concat(parts): return reduce(lambda high, low: bv(Kind.BV_CONCAT, high, low), parts)
def extend(value, bits, kind=Kind.BV_ZERO_EXTEND): return bv(kind, value, idx=(bits - size(value),))

def same(a, b):
    """Whether they are the same int, or the same formula. Others may be equal, too."""
    return isinstance(a, int) == isinstance(b, int) and a == b

def model(facts):
    """A function that tells what terms are in one case of all those in which the facts hold; None if there is none."""
    options = Options()
    options.set(Option.PRODUCE_MODELS, True)
    solver = Bitwuzla(TM, options)
    for fact in facts:
        solver.assert_formula(fact)
    if asked is not None:
        asked.append(solver.print_formula("smt2"))
    answer = solver.check_sat()
    require(answer != Result.UNKNOWN, "the solver does not know")
    return (lambda of: int(solver.get_value(of).value(), 2)) if answer == Result.SAT else None

asked = None  # or a list, of what the solver is asked, for another one

def possible(facts):
    return model(facts) is not None

def prove(claim, complaint, given=(), example=()):
    found = model([*given, negate(claim)])
    shown = f", for example for {bytes(map(found, example))}" if found and example else ""
    require(not found, f"{complaint}: refuted{shown}")

def to_signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) & 1 else value

def overflows(a, b, bits, sign):
    return not -(1 << bits - 1) <= to_signed(a, bits) + sign * to_signed(b, bits) < 1 << bits - 1

def add_up(a, out):
    return reduce(lambda x, y: bv(Kind.BV_ADD, x, y), (extend(extract(a, n, n), out) for n in range(size(a))))

def leading_zeros(a, out):
    return reduce(lambda rest, n: ite(equal(extract(a, n, n), const(1, 1)), const(size(a) - 1 - n, out), rest),
                  range(size(a)), const(size(a), out))

# For each operation on words a and b of n bits, for a result of `out` bits: what it is for ints, and for terms.
OPERATIONS = {
    O.INT_ADD: (lambda a, b, n: a + b, Kind.BV_ADD), O.INT_SUB: (lambda a, b, n: a - b, Kind.BV_SUB),
    O.INT_MULT: (lambda a, b, n: a * b, Kind.BV_MUL), O.INT_AND: (lambda a, b, n: a & b, Kind.BV_AND),
    O.INT_OR: (lambda a, b, n: a | b, Kind.BV_OR), O.INT_XOR: (lambda a, b, n: a ^ b, Kind.BV_XOR),
    O.BOOL_AND: (lambda a, b, n: a & b, Kind.BV_AND), O.BOOL_OR: (lambda a, b, n: a | b, Kind.BV_OR),
    O.BOOL_XOR: (lambda a, b, n: a ^ b, Kind.BV_XOR), O.INT_LEFT: (lambda a, b, n: a << min(b, n), Kind.BV_SHL),
    O.INT_RIGHT: (lambda a, b, n: a >> min(b, n), Kind.BV_SHR),
    O.INT_SRIGHT: (lambda a, b, n: to_signed(a, n) >> min(b, n), Kind.BV_ASHR),
    O.INT_EQUAL: (lambda a, b, n: a == b, Kind.EQUAL), O.INT_NOTEQUAL: (lambda a, b, n: a != b, Kind.DISTINCT),
    O.INT_LESS: (lambda a, b, n: a < b, Kind.BV_ULT), O.INT_LESSEQUAL: (lambda a, b, n: a <= b, Kind.BV_ULE),
    O.INT_SLESS: (lambda a, b, n: to_signed(a, n) < to_signed(b, n), Kind.BV_SLT),
    O.INT_SLESSEQUAL: (lambda a, b, n: to_signed(a, n) <= to_signed(b, n), Kind.BV_SLE),
    O.INT_CARRY: (lambda a, b, n: a + b >> n, Kind.BV_UADD_OVERFLOW),
    O.INT_SCARRY: (lambda a, b, n: overflows(a, b, n, 1), Kind.BV_SADD_OVERFLOW),
    O.INT_SBORROW: (lambda a, b, n: overflows(a, b, n, -1), Kind.BV_SSUB_OVERFLOW),
    # Their time may depend on the operands, so there is no meaning for terms.
    O.INT_DIV: (lambda a, b, n: a // b, None), O.INT_REM: (lambda a, b, n: a % b, None),
}
UNARY = {
    O.COPY: (lambda a, n, out: a, lambda a, out: a), O.INT_ZEXT: (lambda a, n, out: a, extend),
    O.INT_SEXT: (lambda a, n, out: to_signed(a, n), lambda a, out: extend(a, out, Kind.BV_SIGN_EXTEND)),
    O.INT_NEGATE: (lambda a, n, out: ~a, lambda a, out: bv(Kind.BV_NOT, a)),
    O.INT_2COMP: (lambda a, n, out: -a, lambda a, out: bv(Kind.BV_NEG, a)),
    O.BOOL_NEGATE: (lambda a, n, out: a ^ 1, lambda a, out: bv(Kind.BV_XOR, a, const(1, 8))),
    O.POPCOUNT: (lambda a, n, out: a.bit_count(), add_up), O.LZCOUNT: (lambda a, n, out: n - a.bit_length(), leading_zeros),
}

def compute(opcode, values, sizes, out):
    """Of ints."""
    if opcode in UNARY:
        result = UNARY[opcode][0](*values, sizes[0], out)
    elif opcode in (O.SUBPIECE, O.PIECE):
        result = values[0] >> 8 * values[1] if opcode == O.SUBPIECE else values[0] << sizes[1] | values[1]
    else:
        require(opcode in OPERATIONS, f"no meaning for {opcode}")
        result = int(OPERATIONS[opcode][0](*values, sizes[0]))
    return result & ((1 << out) - 1)

def annihilated(opcode, values):
    """What is known although not all operands are; the operation must have a meaning."""
    defined = opcode in (*UNARY, O.SUBPIECE, O.PIECE) or OPERATIONS.get(opcode, (None, None))[1]
    require(defined, f"no meaning for {opcode} of what depends on the input")
    if len(values) == 2 and same(*values) and opcode in (O.INT_XOR, O.INT_SUB, O.INT_EQUAL, O.INT_NOTEQUAL):
        return int(opcode == O.INT_EQUAL)
    return 0 if opcode in (O.INT_AND, O.INT_MULT, O.BOOL_AND) and any(same(value, 0) for value in values) else None

class Exact:
    """Keeps a formula of everything that depends on the input."""
    fresh = staticmethod(fresh)

    @staticmethod
    def join(cells):
        """The word of these bytes, lowest first: each is (word, index), the index-th byte of an int or a term."""
        if all(isinstance(word, int) for word, _ in cells):
            return int.from_bytes(bytes(word >> (8 * n) & 0xFF for word, n in cells), "little")
        parts, at = [], 0
        while at < len(cells):
            (word, first), end = cells[at], at + 1
            while not isinstance(word, int) and end < len(cells) and cells[end][0] is word and cells[end][1] == first + end - at:
                end += 1
            parts.insert(0, const(word >> 8 * first, 8) if isinstance(word, int)
                         else extract(word, 8 * (first + end - at) - 1, 8 * first))
            at = end
        return concat(parts)

    @staticmethod
    def decide(condition):
        """What is known if the branch is taken, and if it is not."""
        taken = equal(condition, const(1, 8))
        return taken, negate(taken)

    @staticmethod
    def apply(opcode, values, sizes, out):
        """Of values that are not all ints."""
        if (known := annihilated(opcode, values)) is not None:
            return known
        a, *b = (term(value, bits) for value, bits in zip(values, sizes))
        if opcode in UNARY:
            return UNARY[opcode][1](a, out)
        if opcode == O.SUBPIECE:
            low = 8 * values[1]
            return extend(extract(a, min(low + out, size(a)) - 1, low), out)
        if opcode == O.PIECE:
            return concat([a, *b])
        if sizes[1] != sizes[0]:  # a shift's count
            require(sizes[1] < sizes[0] or isinstance(values[1], int), "shifts by a count that is wider than the word")
            b = [extend(b[0], size(a)) if sizes[1] < sizes[0] else const(min(values[1], sizes[0]), sizes[0])]
        result = bv(OPERATIONS[opcode][1], a, *b)
        return ite(result, const(1, 8), const(0, 8)) if result.sort().is_bool() else result

class Unknown:
    """Something that depends on the input."""
    def __init__(self, _name="", bits=8):
        self.bits = bits

class Tainted(Exact):
    """Keeps only whether something depends on the input: for code whose formulas would be too large."""
    fresh = Unknown

    @staticmethod
    def join(cells):
        if all(isinstance(word, int) for word, _ in cells):
            return Exact.join(cells)
        word = cells[0][0]
        whole = isinstance(word, Unknown) and [(word, n) for n in range(word.bits // 8)] == cells
        return word if whole else Unknown("", 8 * len(cells))

    @staticmethod
    def decide(_condition):
        return None, None

    @staticmethod
    def apply(opcode, values, _sizes, out):
        known = annihilated(opcode, values)
        return known if known is not None else values[0] if opcode == O.COPY else Unknown("", out)
