"""Runs compiled code on ints and terms: the p-code that SLEIGH (pypcode) makes of each instruction.

An address and a jump's target must be ints, or the run is refused: that is the constant-time part. A branch on a term
splits the run in two. An instruction without a meaning here stops it."""

import re
from collections import namedtuple
from dataclasses import dataclass, field
from functools import cache

import pypcode
from elftools.elf.elffile import ELFFile
from pypcode import OpCode as O

from terms import Refused, apply, const, equal, fresh, join, negate, possible, require, term, to_signed

# Where things lie during a proof, far from each other and from the code.
STOP, LIST, TEXT, RESULT, STACK, SECRET = 0x00DEAD00, 0x60000000, 0x70000000, 0x71000000, 0x72000000, 0x73000000

# SLEIGH's name for a processor, its word's size, and the registers of the first arguments, the result, the stack, the
# return address if it is not on the stack, and those that each function restores.
Target = namedtuple("Target", "language word arguments result sp link saved")
THUMB = Target("ARM:LE:32:Cortex", 4, "r0 r1 r2 r3", "r0", "sp", "lr", "r4 r5 r6 r7 r8 r9 r10 r11")
RISCV = Target("RISCV:LE:32:RV32IMC", 4, "a0 a1 a2 a3 a4 a5 a6 a7", "a0", "sp", "ra", " ".join(f"s{n}" for n in range(12)))
TARGETS = {
    "x86_64": Target("x86:LE:64:default", 8, "RDI RSI RDX RCX R8 R9", "RAX", "RSP", "", "RBX RBP R12 R13 R14 R15"),
    "thumbv6m": THUMB, "thumbv7m": THUMB, "thumbv7em": THUMB, "thumbv8m.base": THUMB, "thumbv8m.main": THUMB,
    "riscv32imc": RISCV, "riscv32imac": RISCV,
}


class Image:
    """A linked file: its constants, its functions, and its instructions as p-code."""

    def __init__(self, path, target):
        self.target, self.context = target, pypcode.Context(target.language)
        self.bits, thumb_bit = 8 * target.word, int(target is THUMB)
        with open(path, "rb") as file:
            elf = ELFFile(file)
            self.constants = [(s["p_vaddr"], s.data()) for s in elf.iter_segments() if s["p_type"] == "PT_GNU_RELRO"
                              or s["p_type"] == "PT_LOAD" and not s["p_flags"] & 2]
            symbols = elf.get_section_by_name(".symtab").iter_symbols()
            self.functions = [(s["st_value"] & ~thumb_bit, s["st_size"], s.name) for s in symbols
                              if s["st_info"]["type"] == "STT_FUNC"]

    def find(self, name):
        """The one function of this path, whatever else the compiler puts into its symbol."""
        path = ".*".join(f"{len(part)}{part}" for part in name.split("::"))
        pattern = re.compile(path + r"(17h[0-9a-f]{16}E|[BC]\w+)?(\.llvm\.\d+)?$")
        found = {at for at, _, symbol in self.functions if pattern.search(symbol)}
        require(len(found) == 1, f"{len(found)} functions are called {name}")
        return found.pop()

    def function_at(self, address):
        return next((symbol for at, size, symbol in self.functions if at <= address < at + size), None)

    def byte(self, address):
        return next((data[address - at] for at, data in self.constants if at <= address < at + len(data)), None)

    @cache
    def instruction(self, address):
        """Its length and its p-code."""
        raw = bytes(b for b in map(self.byte, range(address, address + 16)) if b is not None)
        require(raw, "there is no code")
        mark, *ops = self.context.translate(raw, base_address=address, max_instructions=1).ops
        return mark.inputs[0].size, ops


@dataclass
class State:
    """One path: what is known of the input, where that was decided, and the cells, as `join` takes them, by address."""
    pc: int
    known: list
    decided: list = field(default_factory=list)
    steps: int = 0
    cells: dict = field(default_factory=lambda: {"register": {}, "unique": {}, "ram": {}})

    def copy(self):
        cells = {space: {**cells} for space, cells in self.cells.items()}
        return State(self.pc, [*self.known], [*self.decided], self.steps, cells)


class Machine:
    """`regions`: address and length of what the code may read and write. `hooks` replace functions. `tainted`: keeps no
    formulas, only what depends on the input. `resolve` makes an int of an address that is a term."""

    def __init__(self, image, regions, hooks=(), tainted=False):
        self.image, self.target, self.registers = image, image.target, image.context.registers
        self.regions, self.hooks = [*regions, (STACK - 65536, 65536 + 64)], dict(hooks)
        self.tainted, self.resolve = tainted, lambda state, address: address

    def get(self, state, space, offset, size):
        cells = state.cells[space]
        for at in range(offset, offset + size):
            if at not in cells:
                require(space != "unique", "p-code reads what it never wrote")
                value = self.image.byte(at) if space == "ram" else None
                if value is None:
                    require(space != "ram" or any(a <= at < a + n for a, n in self.regions), f"reads {at:x}")
                    value = fresh(f"{space}_{at:x}", 8)  # whatever it held before
                cells[at] = value, 0
        return join([cells[at] for at in range(offset, offset + size)])

    def put(self, state, space, at, size, value):
        require(space != "ram" or any(a <= at and at + size <= a + n for a, n in self.regions), f"writes {at:x}")
        state.cells[space].update((at + n, (value, n)) for n in range(size))

    def store(self, state, address, values):
        for n, value in enumerate(values):
            self.put(state, "ram", address + n, 1, value)

    def read(self, state, node):
        if node.space.name == "const":
            return node.offset % (1 << 8 * node.size)
        return self.get(state, node.space.name, node.offset, node.size)

    def load(self, state, address, size): return self.get(state, "ram", address, size)
    def loads(self, state, at, size, count): return [self.load(state, at + n * size, size) for n in range(count)]
    def bytes(self, state, at, count): return [term(byte, 8) for byte in self.loads(state, at, 1, count)]
    def write(self, state, node, value): self.put(state, node.space.name, node.offset, node.size, value)
    def reg(self, state, name): return self.read(state, self.registers[name])
    def arguments(self, state, count): return [self.get(state, *self.place(state, n)) for n in range(count)]

    def place(self, state, n):
        """Where the n-th argument is, and how long it is."""
        held = self.target.arguments.split()
        if n < len(held):
            return "register", self.registers[held[n]].offset, self.target.word
        return "ram", self.reg(state, self.target.sp) + self.target.word * (n - len(held)), self.target.word

    def call(self, name, arguments, contents=(), given=()):
        """The state at a function's first instruction, with some contents of memory."""
        target, state = self.target, State(self.image.find(name), [*given])
        for address, values in dict(contents).items():
            self.store(state, address, values)
        self.write(state, self.registers[target.sp], STACK)
        for n, value in enumerate(arguments):
            self.put(state, *self.place(state, n), value)
        link = ("register", self.registers[target.link].offset) if target.link else ("ram", STACK)
        self.put(state, *link, target.word, STOP)
        return state

    def returns(self, state, result):
        """A hook's end. What the ABI lets a function overwrite is anything from then on."""
        target, sp = self.target, self.reg(state, self.target.sp)
        state.pc = self.reg(state, target.link) & ~1 if target.link else self.load(state, sp, target.word)
        registers = {name: self.reg(state, name) for name in target.saved.split()}
        registers |= {target.result: result, target.sp: sp if target.link else sp + target.word}
        state.cells["register"] = {}
        for name, value in registers.items():
            self.write(state, self.registers[name], value)

    def run(self, start, until=lambda state: False):
        """All the states in which it returns, or after a first instruction `until` says so."""
        work, done = [start.copy()], []
        while work:
            state = work.pop()
            if state.pc == STOP or state.steps > start.steps and until(state):
                done.append(state)
                continue
            at, state.steps = state.pc, state.steps + 1
            require(state.steps < 1_000_000, "runs for too long")
            try:
                following = self.step(state)
            except Refused as error:
                raise Refused(f"{error}, at {at:x} in {self.image.function_at(at)}") from error
            if len(following) > 1 and not self.tainted:
                following = [state for state in following if possible(state.known)]
            work.extend(following)
            require(len(work) + len(done) < 64, f"decides on the input, on too many paths, lastly at {at:x}")
        return done

    def step(self, state, first=0):
        """One instruction, or what is left of it from a p-code operation on: the states that may follow."""
        if state.pc in self.hooks:
            self.hooks[state.pc](self, state)
            return [state]
        length, ops = self.image.instruction(state.pc)
        state.cells["unique"] = state.cells["unique"] if first else {}
        for at in range(first, len(ops)):
            opcode, inputs, output = ops[at].opcode, ops[at].inputs, ops[at].output
            if opcode in (O.BRANCH, O.CALL, O.CBRANCH):
                condition, jumping = self.read(state, inputs[1]) if opcode == O.CBRANCH else 1, state
                if isinstance(condition, int) and not condition:
                    continue
                if not isinstance(condition, int):
                    state.decided.append(state.pc)
                    jumping, taken = state.copy(), equal(condition, const(1, 8))
                    jumping.known.append(taken)
                    state.known.append(negate(taken))
                if inputs[0].space.name == "const":  # within this instruction
                    reached = self.step(jumping, at + to_signed(self.read(state, inputs[0]), 8 * inputs[0].size))
                else:
                    jumping.pc, reached = inputs[0].offset, [jumping]
                return reached if jumping is state else [*reached, *self.step(state, at + 1)]
            values = [self.read(state, node) for node in inputs] if opcode != O.CALLOTHER else []
            if opcode in (O.BRANCHIND, O.CALLIND, O.RETURN):
                require(isinstance(values[0], int), "jumps to an address that depends on the input")
                state.pc = values[0]
                return [state]
            if opcode in (O.LOAD, O.STORE):
                address = values[1] if isinstance(values[1], int) else self.resolve(state, values[1])
                require(isinstance(address, int), "reads or writes at an address that depends on the input")
                if opcode == O.LOAD:
                    self.write(state, output, self.load(state, address, output.size))
                else:
                    self.put(state, "ram", address, inputs[2].size, values[2])
            elif opcode == O.CALLOTHER:
                require(inputs[0].getUserDefinedOpName() == "setISAMode", "an operation without a meaning")  # all Thumb
            else:
                value = apply(opcode, values, [8 * node.size for node in inputs], 8 * output.size)
                if self.tainted and opcode != O.COPY and not isinstance(value, int):
                    value = fresh("unknown", 8 * output.size)
                self.write(state, output, value)
        state.pc += length
        return [state]
