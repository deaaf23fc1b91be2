"""Proves claims about machine code: python3 tests/proof TARGET ELF CLAIM... `.ci/proof` builds it."""

import sys

from claims import decode, issue, lists, whole
from machine import TARGETS, Image
from scan import any_number
from terms import Refused

CLAIMS = {claim.__name__: claim for claim in (decode, lists, any_number, issue, whole)}

target, path, *names = sys.argv[1:]
image, failed = Image(path, TARGETS[target]), False
for name in names:
    try:
        answer = f"proved: {CLAIMS[name](image)}"
    except Refused as error:
        answer, failed = f"FAILED: {error}", True
    print(f"{target}: {name}: {answer}", flush=True)
sys.exit(failed)
