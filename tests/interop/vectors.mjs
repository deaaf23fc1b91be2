#!/usr/bin/env node
// Runs client_keys.mjs over a vectors.json: vectors.mjs FILE.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual as same } from "node:util";
import { Refused, issue, verify } from "./client_keys.mjs";

const bytes = (hex) => Buffer.from(hex, "hex");

function answer(secret, allowed, token) {
  try {
    return ["accepted", verify(secret, allowed, token)];
  } catch (error) {
    if (error instanceof Refused) return [error.verdict, error.keyId];
    throw error;
  }
}

function holds(group, test) {
  const secret = bytes(group.secret);
  if (!same(answer(secret, group.allowed, test.token), [test.result, test.keyId])) return false;
  return !test.nonce || same(issue(secret, bytes(test.nonce + test.keyId)), [test.keyId, test.token]);
}

function accumulated(secret, label, count) {
  const total = createHash("sha256");
  for (let i = 0; i < count; i++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(i);
    const drawn = createHash("sha256").update(label).update(number).digest().subarray(0, 27);
    total.update(issue(secret, drawn)[1]);
  }
  return total.digest("hex");
}

const suite = JSON.parse(readFileSync(process.argv[2], "utf8"));
const outcomes = suite.testGroups.flatMap((group) => group.tests.map((test) => [`tcId ${test.tcId}`, holds(group, test)]));
outcomes.push(["numberOfTests", suite.numberOfTests === outcomes.length]);
const { secret, label, count, sha256 } = suite.accumulated;
outcomes.push(["accumulated", accumulated(bytes(secret), label, count) === sha256]);
const failed = outcomes.filter(([, held]) => !held);
for (const [name] of failed) console.error("differs:", name);
console.log(`${outcomes.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length ? 1 : 0;
