"""Finds what decides where a program goes on, and holds it against branches.txt: python3 branches.py ELF...

Counted are conditional branches, Thumb's IT blocks, jumps to computed addresses, and calls of memcmp, which returns
early. The compiler's line table ascribes each to the innermost line of the crate's or a dependency's source that it
comes from, else to the file of Rust's own library that its function is from.
"""

import collections
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
CONDITIONAL = re.compile(
    r"b(eq|ne|[hc]s|lo|cc|mi|pl|v[sc]|hi|ls|[gl][et])|cbn?z|it[te]*|tb[bh]"  # Thumb
    r"|(c\.)?b(eq|ne|[lg][et]u?|eqz|nez|[lg][et]z)"  # RISC-V
)
OURS = re.compile(r"/src/\.\./\.\./\.\./src/|/small-cores/src/|/(base16ct|subtle)-[^/]+/src/")


def run(*command, text=""):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def decides(operation, operands):
    operation = operation.removesuffix(".n").removesuffix(".w")
    if CONDITIONAL.fullmatch(operation):
        return True
    if re.search(r"<(memcmp|bcmp)", operands):
        return True
    computed = "<" not in operands and operands not in ("lr", "ra", "t0", "")  # returns
    if operation in ("bx", "blx", "jr", "jalr", "c.jr", "c.jalr"):
        return computed
    return operation in ("mov", "add", "ldr") and operands.startswith("pc,")


def instructions(elf):
    """Address, function, operation and operands, without the padding after a function's end."""
    ends = {}
    for line in run("llvm-objdump", "-t", elf).splitlines():
        if found := re.match(r"([0-9a-f]+) .* F \S+\s+([0-9a-f]+)", line):
            ends[int(found[1], 16)] = int(found[1], 16) + int(found[2], 16)
    function, end = "", 0
    for line in run("llvm-objdump", "-d", "-C", "--no-show-raw-insn", elf).splitlines():
        if found := re.match(r"([0-9a-f]+) <(.*)>:$", line):
            function, end = found[2], ends[int(found[1], 16)]
        elif found := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*([^@#]*)", line):
            if int(found[1], 16) < end:
                yield int(found[1], 16), function, found[2], found[3].strip()


def sources(elf, addresses):
    """For each address the line that it is ascribed to, as in branches.txt."""
    answers = run("llvm-symbolizer", "--inlines", f"--obj={elf}", text="\n".join(map(hex, addresses)))
    for answer in answers.strip().split("\n\n"):
        places = [place.rsplit(":", 2)[:2] for place in answer.split("\n")[1::2]]
        for path, line in places:
            if OURS.search(path):
                text = pathlib.Path(path).read_text().splitlines()[int(line) - 1].strip() if line != "0" else "?"
                yield f"{pathlib.Path(path).name}: {text}"
                break
        else:
            yield re.sub(r".*/(library|compiler-builtins)/", "library ", places[-1][0])


def main(*elves):
    lines = [line for line in (HERE / "branches.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    listed = {place: (int(count), kind) for count, kind, place in (line.split(maxsplit=2) for line in lines)}
    failures, unseen = [], set(listed)
    for elf in elves:
        deciding = [found for found in instructions(elf) if decides(*found[2:])]
        counted = collections.Counter(sources(elf, [address for address, *_ in deciding]))
        unseen -= set(counted)
        kinds = collections.Counter()
        for place, count in counted.items():
            most, kind = listed.get(place, (0, "unlisted"))
            kinds[kind] += count
            if kind != "leak" and count > most:
                failures.append(f"{elf}: {count} branches, at most {most} {kind}: {place}")
        for place, (least, kind) in listed.items():
            if kind == "leak" and counted[place] < least:
                failures.append(f"{elf}: a leaky control is not caught: {place}")
        print(elf, dict(sorted(kinds.items())))
    failures += [f"branches.txt: seen in no build: {place}" for place in sorted(unseen)]
    if failures:
        sys.exit("\n".join(["FAILED", *failures]))


main(*sys.argv[1:])
