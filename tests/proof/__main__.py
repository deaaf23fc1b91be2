"""Proves claims about the library's machine code: python3 tests/proof TARGET ELF [CLAIM...]. `.ci/proof` builds it."""

import sys
import time

from claims import decode, digits, issue, lengths, lists, whole
from machine import TARGETS, Image
from scan import any_number
from terms import Refused

CLAIMS = {claim.__name__: claim for claim in (decode, lengths, lists, any_number, issue, digits, whole)}

target, path, *names = sys.argv[1:]
image, failed = Image(path, TARGETS[target]), False
# What x86-64 has for AES and GHASH, SLEIGH only names.
for name in names or [name for name in CLAIMS if (target, name) != ("x86-64", "whole")]:
    begun = time.monotonic()
    try:
        answer = f"proved: {CLAIMS[name](image)}"
    except Exception as error:  # of whatever kind: the claim is not proved
        answer, failed = f"FAILED: {error if isinstance(error, Refused) else repr(error)}", True
    print(f"{target}: {name}: {answer} ({time.monotonic() - begun:.1f} s)", flush=True)
sys.exit(failed)
