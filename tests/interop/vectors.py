#!/usr/bin/env python3
"""Runs client_keys.py over a vectors.json: vectors.py FILE."""

import hashlib, json, sys

sys.dont_write_bytecode = True  # no __pycache__ among the sources
from client_keys import Refused, issue, verify


def answer(secret, allowed, token):
    try:
        return "accepted", verify(secret, allowed, token)
    except Refused as refused:
        return refused.verdict, refused.key_id


def holds(group, test):
    secret = bytes.fromhex(group["secret"])
    if answer(secret, group["allowed"], test["token"]) != (test["result"], test.get("keyId")):
        return False
    if "nonce" not in test:
        return True
    drawn = bytes.fromhex(test["nonce"] + test["keyId"])
    return issue(secret, drawn) == (test["keyId"], test["token"])


def accumulated(secret, label, count):
    total = hashlib.sha256()
    for i in range(count):
        drawn = hashlib.sha256(label.encode() + i.to_bytes(4, "big")).digest()[:27]
        total.update(issue(secret, drawn)[1].encode())
    return total.hexdigest()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        suite = json.load(file)
    outcomes = [
        (f"tcId {test['tcId']}", holds(group, test)) for group in suite["testGroups"] for test in group["tests"]
    ]
    outcomes.append(("numberOfTests", suite["numberOfTests"] == len(outcomes)))
    last = suite["accumulated"]
    digest = accumulated(bytes.fromhex(last["secret"]), last["label"], last["count"])
    outcomes.append(("accumulated", digest == last["sha256"]))
    for name in (name for name, held in outcomes if not held):
        print("differs:", name, file=sys.stderr)
    failed = sum(not held for _, held in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    sys.exit(failed > 0)
