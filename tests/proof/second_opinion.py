"""A second opinion on `decode`: its claims by another solver, and the formulas behind them on random texts against the
processor, or qemu: python3 second_opinion.py TARGET DRIVER [EMULATOR]. The driver runs the decoder on its standard input."""

import random
import subprocess
import sys
import tempfile

import claims
import terms
from machine import TARGETS, Image
from terms import concat, const, equal, model, require

target, driver, *emulator = sys.argv[1:]
image, seed = Image(driver, TARGETS[target]), random.randrange(1 << 32)
terms.asked = []
claims.decode(image)
for question in terms.asked:
    answer = subprocess.run([f"{sys.prefix}/bin/z3", "-in"], input=question, capture_output=True, text=True, check=True).stdout.strip()
    require(answer == "unsat", f"z3 says {answer}")
print(f"{target}: z3 agrees on {len(terms.asked)} claims")

terms.asked, texts = None, []
random.seed(seed)
for n in range(400):
    texts.append(bytearray(random.randbytes(58) if n % 4 == 0 else random.choices(claims.ALPHABET, k=58)))
    if n % 4 > 1:
        texts[-1][57] = random.choice(b"AQgw")  # no spare bits
    if n % 4 > 2:
        texts[-1][random.randrange(58)] = random.choice(b"@[`{/:,.^+=\x80\xc1\xff\0")
with tempfile.TemporaryFile() as file:
    file.write(b"".join(texts))
    file.seek(0)
    output = subprocess.run([*emulator, driver], stdin=file, stdout=subprocess.PIPE, check=True).stdout
require(len(output) == 44 * len(texts), "an answer is missing")
text, verdict, got, _ = claims.run_decode(image)
for n, given in enumerate(texts):
    value = model([equal(term, const(byte, 8)) for term, byte in zip(text, given)])(concat([verdict, got]))
    ran = output[44 * n:44 * n + 44]
    require(value == int.from_bytes(ran, "big"), f"seed {seed}: {bytes(given)} is {value:x} here, {ran.hex()} there")
accepted = sum(output[::44])
require(50 < accepted < 350, "too few texts are accepted, or refused")
print(f"{target}: the decoder's formulas agree with {'qemu' if emulator else 'the processor'}: {accepted} texts accepted,"
      f" {len(texts) - accepted} refused")
