"""Runs compiled code on ints and terms: the p-code that SLEIGH (pypcode) makes of each instruction.

An address and a jump's target must be ints, or the run is refused: that is the constant-time part. What decides on a term
splits the run in two. An operation without a meaning here stops the run."""

import dataclasses
import re

import pypcode
from bitwuzla import Kind
from elftools.elf.elffile import ELFFile
from pypcode import OpCode as O

from terms import Exact, Refused, bv, compute, concat, const, extract, require, term, to_signed

# Where things lie during a proof, far from each other and from the code.
STOP, LIST, TEXT, RESULT, STACK, SECRET = 0x00DEAD00, 0x60000000, 0x70000000, 0x71000000, 0x72000000, 0x73000000

@dataclasses.dataclass(frozen=True)
class Target:
    """How a processor's compiler passes arguments."""
    language: str  # SLEIGH's name for the processor
    word: int
    arguments: str  # the rest is on the stack
    results: str
    sp: str
    link: str  # where the return address is, if it is not on the stack
    clobbered: str  # by any function, beside the results

THUMB = Target("ARM:LE:32:Cortex", 4, "r0 r1 r2 r3", "r0 r1", "sp", "lr", "r2 r3 r12")
TARGETS = {
    "x86-64": Target("x86:LE:64:default", 8, "RDI RSI RDX RCX R8 R9", "RAX RDX", "RSP", "",
                     "RCX RSI RDI R8 R9 R10 R11 " + " ".join(f"XMM{n}" for n in range(16))),
    "thumbv6m": THUMB, "thumbv7em": THUMB,
    "riscv32imc": Target("RISCV:LE:32:RV32IMC", 4, "a0 a1 a2 a3 a4 a5 a6 a7", "a0 a1", "sp", "ra",
                         "a2 a3 a4 a5 a6 a7 t0 t1 t2 t3 t4 t5 t6"),
}

class Image:
    """A linked file: its constants, its functions, and its instructions as p-code."""
    def __init__(self, path, target):
        self.target, self.context, self.decoded = target, pypcode.Context(target.language), {}
        self.bits, clear = 8 * target.word, 1 if target is THUMB else 0
        with open(path, "rb") as file:
            elf = ELFFile(file)
            self.constants = [(s["p_vaddr"], s.data()) for s in elf.iter_segments() if s["p_type"] == "PT_GNU_RELRO"
                              or s["p_type"] == "PT_LOAD" and not s["p_flags"] & 2]
            self.functions = [(s["st_value"] & ~clear, s["st_size"], s.name)
                              for s in elf.get_section_by_name(".symtab").iter_symbols() if s["st_info"]["type"] == "STT_FUNC"]

    def find(self, name):
        """The function of this path, which starts with the crate, or the trait's function of this name, whatever its type."""
        parts = [f"{len(part)}{part}" for part in name.split("::")]
        inherent, old = r"(Nt\w{1,3}_)?".join(parts), "".join(parts)
        pattern = rf"_(ZN.*{old}17h[0-9a-f]+E|RNv\w+{old}B\w+)" if len(parts) == 1 else rf"_(ZN{old}17h[0-9a-f]+E|RNv\w*?C\w+?_{inherent})"
        found = {address for address, _, symbol in self.functions if re.fullmatch(pattern + r"(\.llvm\.\d+)?", symbol)}
        require(len(found) < 2, f"{len(found)} functions are called {name}")
        return found.pop() if found else None

    def function_at(self, address):
        """Its symbol; of a function that is not there, None."""
        return next((symbol for at, size, symbol in self.functions if address and at <= address < at + size), None)

    def byte(self, address):
        return next((data[address - at] for at, data in self.constants if at <= address < at + len(data)), None)

    def instruction(self, address):
        """Its length and its p-code."""
        if address not in self.decoded:
            raw = bytes(b for b in map(self.byte, range(address, address + 16)) if b is not None)
            require(raw, "there is no code")
            mark, *ops = self.context.translate(raw, base_address=address, max_instructions=1).ops
            self.decoded[address] = mark.inputs[0].size, ops
        return self.decoded[address]

class State:
    def __init__(self, cells=None, pc=0, path=(), steps=0, written=()):
        self.cells = {space: dict((cells or {}).get(space, {})) for space in ("register", "unique", "ram")}
        self.pc, self.path, self.steps, self.written = pc, list(path), steps, set(written)

    def copy(self):
        return State(**vars(self))

    def pick(self, places):
        return {(space, at): self.cells[space][at] for space, at in places}

    @property
    def known(self):
        """What the input must be like for this path to be taken."""
        return [condition for _, condition in self.path]

class Machine:
    """`regions`: address and length of what the code may read and write. `hooks` replace functions. `resolve` makes an int of
    an address that is a term. `feasible` tells whether a path can be taken; without it, all are followed."""
    def __init__(self, image, regions, hooks=(), values=Exact, resolve=None, feasible=None):
        self.image, self.target, self.values = image, image.target, values
        self.regions = [*regions, (STACK - 65536, 65536 + 64)]
        self.hooks, self.resolve, self.feasible = dict(hooks), resolve, feasible
        self.registers = image.context.registers

    def get(self, state, space, offset, size):
        cells = state.cells[space]
        for at in range(offset, offset + size):
            if at not in cells:
                require(space != "unique", "p-code reads what it never wrote")
                value = self.image.byte(at) if space == "ram" else None
                if value is None:
                    require(space != "ram" or any(a <= at < a + n for a, n in self.regions), f"reads {at:x}")
                    value = self.values.fresh(f"{space}_{at:x}", 8)  # whatever it held before
                cells[at] = (value, 0)
        return self.values.join([cells[at] for at in range(offset, offset + size)])

    def put(self, state, space, offset, size, value):
        if space == "ram":
            require(any(a <= offset and offset + size <= a + n for a, n in self.regions), f"writes {offset:x}")
            state.written.update(range(offset, offset + size))
        state.cells[space].update((offset + n, (value, n)) for n in range(size))

    def load(self, state, address, size=None):
        return self.get(state, "ram", address, size or self.target.word)

    def bytes(self, state, address, size):
        return [term(self.load(state, address + n, 1), 8) for n in range(size)]

    def store(self, state, address, values):
        for n, value in enumerate(values):
            self.put(state, "ram", address + n, 1, value)

    def read(self, state, node):
        if node.space.name == "const":
            return node.offset & ((1 << (8 * node.size)) - 1)
        return self.get(state, node.space.name, node.offset, node.size)

    def write(self, state, node, value):
        self.put(state, node.space.name, node.offset, node.size, value)

    def reg(self, state, name):
        return self.read(state, self.registers[name])

    def place(self, state, n):
        """Where the n-th argument is, and how long it is."""
        held = self.target.arguments.split()
        if n < len(held):
            return "register", self.registers[held[n]].offset, self.target.word
        return "ram", self.reg(state, self.target.sp) + self.target.word * (n - len(held)), self.target.word

    def call(self, name, arguments, contents=()):
        """The state at a function's first instruction, with some contents of memory."""
        target, state = self.target, State(pc=self.image.find(name))
        require(state.pc, f"there is no function {name}")
        for address, values in dict(contents).items():
            self.store(state, address, values)
        self.write(state, self.registers[target.sp], STACK)
        for n, value in enumerate(arguments):
            self.put(state, *self.place(state, n), value)
        if target.link:
            self.write(state, self.registers[target.link], STOP)
        else:
            self.put(state, "ram", STACK, target.word, STOP)
        state.written = set()
        return state

    def arguments(self, state, count):
        return [self.get(state, *self.place(state, n)) for n in range(count)]

    def returns(self, state, result):
        """A hook's end. What the ABI lets a function overwrite is anything from then on."""
        target, (first, *rest) = self.target, self.target.results.split()
        for name in [*rest, *target.clobbered.split()]:
            self.write(state, self.registers[name], self.values.fresh(name, 8 * self.registers[name].size))
        self.write(state, self.registers[first], result)
        if target.link:
            state.pc = self.reg(state, target.link) & ~1
        else:
            state.pc, sp = self.load(state, self.reg(state, target.sp)), self.reg(state, target.sp)
            self.write(state, self.registers[target.sp], sp + target.word)

    def run(self, start, until=lambda state: False):
        """All the states in which it returns, or after a first instruction `until` says so."""
        work, done = [start], []
        while work:
            state = work.pop()
            if state.pc == STOP or state is not start and until(state):
                done.append(state)
                continue
            state, at = state.copy() if state is start else state, state.pc
            state.steps += 1
            require(state.steps < 1_000_000, "runs for too long")
            if at in self.hooks:
                self.hooks[at](self, state)
                work.append(state)
                continue
            try:
                following = self.step(state)
            except Refused as error:
                raise Refused(f"{error}, at {at:x} in {self.image.function_at(at)}") from error
            if self.feasible and len(following) > 1:
                following = [state for state in following if self.feasible(state.known)]
                require(following, "a path that cannot be taken")
            work.extend(following)
            require(len(work) + len(done) < 64, f"decides on the input, on too many paths, lastly at {at:x}")
        return done

    def address(self, state, node):
        address = self.read(state, node)
        if not isinstance(address, int) and self.resolve:
            address = self.resolve(state, address)
        require(isinstance(address, int), "reads or writes at an address that depends on the input")
        return address

    def step(self, state, at=None):
        """One instruction, or what is left of it from a p-code operation on: the states that may follow."""
        length, ops = self.image.instruction(state.pc)
        if at is None:
            state.cells["unique"], at = {}, 0
        for at in range(at, len(ops)):
            opcode, inputs, output = ops[at].opcode, ops[at].inputs, ops[at].output
            if opcode in (O.BRANCH, O.CALL, O.CBRANCH):
                condition, jumping = self.read(state, inputs[1]) if opcode == O.CBRANCH else 1, state
                if isinstance(condition, int) and not condition:
                    continue
                if not isinstance(condition, int):
                    jumping = state.copy()
                    for side, fact in zip((jumping, state), self.values.decide(condition)):
                        side.path.append((state.pc, fact))
                if inputs[0].space.name == "const":  # within this instruction
                    reached = self.step(jumping, at + to_signed(inputs[0].offset, 8 * inputs[0].size))
                else:
                    jumping.pc, reached = inputs[0].offset, [jumping]
                return reached if jumping is state else [*reached, *self.step(state, at + 1)]
            if opcode in (O.BRANCHIND, O.CALLIND, O.RETURN):
                target = self.read(state, inputs[0])
                require(isinstance(target, int), "jumps to an address that depends on the input")
                state.pc = target
                return [state]
            if opcode == O.CALLOTHER:
                name = inputs[0].getUserDefinedOpName()
                require(name in USER_OPS, f"no meaning for {name}")
                USER_OPS[name](self, state, inputs[1:], output)
            elif opcode == O.LOAD:
                self.write(state, output, self.load(state, self.address(state, inputs[1]), output.size))
            elif opcode == O.STORE:
                self.put(state, "ram", self.address(state, inputs[1]), inputs[2].size, self.read(state, inputs[2]))
            else:
                values = [self.read(state, node) for node in inputs]
                meaning = compute if all(isinstance(value, int) for value in values) else self.values.apply
                self.write(state, output, meaning(opcode, values, [8 * i.size for i in inputs], 8 * output.size))
        state.pc += length
        return [state]

# The SSE2 instructions that SLEIGH only names, over words of 16 bits, the lowest first.
def words(machine, state, node):
    whole = term(machine.read(state, node), 128)
    return [extract(whole, 16 * n + 15, 16 * n) for n in range(8)]

def shuffle(base):
    """PSHUFLW, PSHUFHW: two bits of a constant pick each of the four words from `base` on."""
    def op(machine, state, inputs, output):
        source, order = words(machine, state, inputs[-2]), machine.read(state, inputs[-1])
        picked = [source[base + (order >> 2 * n & 3)] for n in range(4)]
        machine.write(state, output, concat((picked + source[4:] if base == 0 else source[:4] + picked)[::-1]))
    return op

def shift(kind):
    def op(machine, state, inputs, output):
        count = machine.read(state, inputs[1])
        require(isinstance(count, int), "shifts vectors by a count that depends on the input")
        shifted = [bv(kind, word, const(min(count, 16), 16)) for word in words(machine, state, inputs[0])]
        machine.write(state, output, concat(shifted[::-1]))
    return op

USER_OPS = {"pshuflw": shuffle(0), "pshufhw": shuffle(4), "psllw": shift(Kind.BV_SHL), "psraw": shift(Kind.BV_ASHR),
            "setISAMode": lambda *_: None}  # Thumb throughout
