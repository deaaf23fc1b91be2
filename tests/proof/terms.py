"""Bit-vector terms of bitwuzla, and what p-code makes of them: an int is known, a term depends on the input."""

from functools import partial, reduce

from bitwuzla import Bitwuzla, Kind, Option, Options, Result, TermManager
from pypcode import OpCode as O

TM = TermManager()
REWRITER = Bitwuzla(TM)


class Refused(Exception):
    """The claim is refuted, or cannot be proved."""


def require(condition, complaint):
    if not condition:
        raise Refused(complaint)


# What bitwuzla offers, in fewer words. `concat` takes the most significant part first.
def bv(kind, *args, idx=()): return TM.mk_term(kind, list(args), list(idx))
def size(word): return word.sort().bv_size()
def const(value, bits): return TM.mk_bv_value(TM.mk_bv_sort(bits), value % (1 << bits))
def term(value, bits): return const(value, bits) if isinstance(value, int) else value
def fresh(name, bits): return TM.mk_const(TM.mk_bv_sort(bits), name)
def symbols(name, count, bits=8): return [fresh(f"{name}{n}", bits) for n in range(count)]
def equal(a, b): return bv(Kind.EQUAL, a, b)
def negate(condition): return bv(Kind.NOT, condition)
def ite(condition, yes, no): return bv(Kind.ITE, condition, yes, no)
def every(conditions): return reduce(partial(bv, Kind.AND), conditions, TM.mk_true())
def some(conditions): return reduce(partial(bv, Kind.OR), conditions, TM.mk_false())
def extract(word, high, low): return bv(Kind.BV_EXTRACT, word, idx=(high, low))
def concat(parts): return reduce(partial(bv, Kind.BV_CONCAT), parts)
def extend(word, bits, kind=Kind.BV_ZERO_EXTEND): return bv(kind, word, idx=(bits - size(word),))
def to_signed(value, bits): return value - (value >> (bits - 1) << bits)
def possible(facts): return model(facts) is not None


def model(facts):
    """A function that gives terms their values in one case in which the facts hold, or None if there is none."""
    options = Options()
    options.set(Option.PRODUCE_MODELS, True)
    solver = Bitwuzla(TM, options)
    for fact in facts:
        solver.assert_formula(fact)
    answer = solver.check_sat()
    require(answer != Result.UNKNOWN, "the solver does not know")
    return (lambda of: int(solver.get_value(of).value(), 2)) if answer == Result.SAT else None


def prove(claim, complaint, given=(), example=()):
    found = model([*given, negate(claim)])
    shown = f", for example for {bytes(map(found, example))}" if found and example else ""
    require(not found, f"{complaint}: refuted{shown}")


def simplify(word):
    """An int, if the word is the same for every input."""
    word = REWRITER.simplify_term(word)
    return int(word.value(), 2) if word.is_value() else word


def join(cells):
    """The word of these bytes, the lowest first: each is (word, n), the n-th byte of an int or a term."""
    if all(isinstance(word, int) for word, _ in cells):
        return int.from_bytes(bytes(word >> 8 * n & 0xFF for word, n in cells), "little")
    return simplify(concat(const(word >> 8 * n, 8) if isinstance(word, int) else extract(word, 8 * n + 7, 8 * n)
                           for word, n in reversed(cells)))


KINDS = {  # a division has none: its time depends on the operands
    O.INT_ADD: Kind.BV_ADD, O.INT_SUB: Kind.BV_SUB, O.INT_MULT: Kind.BV_MUL, O.INT_AND: Kind.BV_AND,
    O.INT_OR: Kind.BV_OR, O.INT_XOR: Kind.BV_XOR, O.INT_NEGATE: Kind.BV_NOT, O.INT_2COMP: Kind.BV_NEG,
    O.INT_LEFT: Kind.BV_SHL, O.INT_RIGHT: Kind.BV_SHR, O.INT_SRIGHT: Kind.BV_ASHR,
    O.INT_EQUAL: Kind.EQUAL, O.INT_NOTEQUAL: Kind.DISTINCT, O.INT_LESS: Kind.BV_ULT, O.INT_LESSEQUAL: Kind.BV_ULE,
    O.INT_SLESS: Kind.BV_SLT, O.INT_SLESSEQUAL: Kind.BV_SLE, O.INT_CARRY: Kind.BV_UADD_OVERFLOW,
    O.INT_SCARRY: Kind.BV_SADD_OVERFLOW, O.INT_SBORROW: Kind.BV_SSUB_OVERFLOW,
    O.BOOL_AND: Kind.BV_AND, O.BOOL_OR: Kind.BV_OR, O.BOOL_XOR: Kind.BV_XOR,
}


def apply(opcode, values, sizes, out):
    """What an operation makes of values of these sizes, for a result of `out` bits."""
    if opcode in (O.INT_DIV, O.INT_REM) and all(isinstance(value, int) for value in values):
        return values[0] // values[1] if opcode == O.INT_DIV else values[0] % values[1]
    a, *rest = map(term, values, sizes)
    if opcode in (O.COPY, O.INT_ZEXT, O.INT_SEXT):
        result = extend(a, out, Kind.BV_SIGN_EXTEND if opcode == O.INT_SEXT else Kind.BV_ZERO_EXTEND)
    elif opcode == O.BOOL_NEGATE:
        result = bv(Kind.BV_XOR, a, const(1, 8))
    elif opcode == O.SUBPIECE:
        result = extend(extract(a, min(8 * values[1] + out, size(a)) - 1, 8 * values[1]), out)
    elif opcode == O.PIECE:
        result = concat([a, *rest])
    elif opcode == O.POPCOUNT:
        result = reduce(partial(bv, Kind.BV_ADD), (extend(extract(a, n, n), out) for n in range(size(a))))
    elif opcode == O.LZCOUNT:
        ones = ((equal(extract(a, n, n), const(1, 1)), const(size(a) - 1 - n, out)) for n in range(size(a)))
        result = reduce(lambda rest, one: ite(*one, rest), ones, const(size(a), out))
    else:
        require(opcode in KINDS, f"no meaning for {opcode}")
        if len(set(sizes)) == 2:  # a shift's count
            count = min(values[1], sizes[0]) if isinstance(values[1], int) else extend(*rest, sizes[0])
            rest = [term(count, sizes[0])]
        result = bv(KINDS[opcode], a, *rest)
        if result.sort().is_bool():
            result = ite(result, const(1, 8), const(0, 8))
    return simplify(result)
