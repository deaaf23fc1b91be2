"""A second opinion on `decode`: z3's on its claims, and the processor's, or qemu's, on its formulas for random texts.
python3 second_opinion.py TARGET DRIVER [EMULATOR]; the driver runs the decoder on the texts in its standard input."""

import random
import subprocess
import sys

import claims
import terms
from machine import TARGETS, Image
from terms import Bitwuzla, concat, const, equal, require

target, driver, *emulator = sys.argv[1:]
image, seed, bitwuzla = Image(driver, TARGETS[target]), random.randrange(1 << 32), terms.model
random.seed(seed)


def z3(facts):
    solver = Bitwuzla(terms.TM)
    for fact in facts:
        solver.assert_formula(fact)
    command, question = [f"{sys.prefix}/bin/z3", "-in"], solver.print_formula("smt2")
    answer = subprocess.run(command, input=question, stdout=subprocess.PIPE, text=True).stdout.strip()
    require(answer == "unsat", f"z3 says {answer}")


terms.model = z3
claims.decode(image)
texts = [bytearray(random.choices(claims.BASE64URL, k=58)) for _ in range(400)]
for n, given in enumerate(texts):
    given[57] = random.choice(b"AQgw" if n % 3 else b"AQgwBRhx")  # spare bits
    given[random.randrange(58)] = random.choice(b"@[`{/:,.^+=\x80\xc1\xff\0") if n % 3 > 1 else given[0]
ran = subprocess.run([*emulator, driver], input=b"".join(texts), stdout=subprocess.PIPE, check=True).stdout
text, verdict, got, _ = claims.run_decode(image)
for n, given in enumerate(texts):
    value = bitwuzla([equal(word, const(byte, 8)) for word, byte in zip(text, given)])(concat([verdict, got]))
    require(value == int.from_bytes(ran[44 * n:44 * n + 44], "big"), f"seed {seed}: another answer to {bytes(given)}")
require(100 < sum(ran[::44]) < 300, "too few texts are accepted, or refused")
print(f"{target}: z3 agrees, and so does {'qemu' if emulator else 'the processor'} on {len(texts)} texts")
