// Tests the module in Node.js: every case of tests/vectors.json, issuing, hostile texts, and the time of a call.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ClientKeys } from "./client-keys.mjs";

// Node.js 18, which Debian 12 installs, has no global `crypto`.
globalThis.crypto ??= webcrypto;

const here = (path) => new URL(path, import.meta.url);
const wasm = readFileSync(here("target/wasm32-unknown-unknown/release/wasm.wasm"));
const module = new WebAssembly.Module(wasm);
const { numberOfTests, testGroups } = JSON.parse(readFileSync(here("../../tests/vectors.json")));
const ID = "0123456789abcdef0123456789abcd";
const SECRET = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");

test("every vector has its answer, and every good token is issued again", () => {
  const count = { accepted: 0, malformed: 0, inauthentic: 0, unlisted: 0 };
  for (const { secret, allowed, tests } of testGroups) {
    let drawn;
    const keys = new ClientKeys(module, secret, allowed.join(","), (bytes) => bytes.set(drawn));
    for (const { tcId, token, result, keyId, nonce } of tests) {
      assert.deepEqual(keys.verify(token), keyId ? { result, keyId } : { result }, `case ${tcId}`);
      count[result] += 1;
      if (nonce) {
        drawn = Buffer.from(nonce + keyId, "hex");
        assert.deepEqual(keys.issue(), { keyId, keyAccessToken: token }, `case ${tcId}`);
      }
    }
  }
  console.log(count);
  assert.ok(Object.values(count).every((cases) => cases > 0));
  assert.equal(Object.values(count).reduce((sum, cases) => sum + cases), numberOfTests);
});

test("a key issued with the engine's generator is accepted, and after revocation refused", () => {
  const { keyId, keyAccessToken } = new ClientKeys(module, SECRET, "").issue();
  const keys = new ClientKeys(module, SECRET.toUpperCase(), ` ${ID}, ${keyId} ,`);
  assert.deepEqual(keys.verify(keyAccessToken), { result: "accepted", keyId });
  const revoked = new ClientKeys(module, SECRET, ID);
  assert.deepEqual(revoked.verify(keyAccessToken), { result: "unlisted", keyId });
  assert.notEqual(keys.issue().keyAccessToken, keys.issue().keyAccessToken);
});

test("no generator, no key", () => {
  const { keyId, keyAccessToken } = new ClientKeys(module, SECRET, "").issue();
  const keys = new ClientKeys(module, SECRET, keyId, () => { throw new Error("no entropy"); });
  // More failures than the stack would hold if each left its frames there.
  for (let i = 0; i < 1_000; i += 1) assert.throws(() => keys.issue(), /no entropy/);
  assert.deepEqual(keys.verify(keyAccessToken), { result: "accepted", keyId });
});

test("a generator that fills too late or not at all is an error", () => {
  const late = async (bytes) => { await undefined; crypto.getRandomValues(bytes); };
  const elsewhere = (bytes) => crypto.getRandomValues(new Uint8Array(bytes.length));
  for (const fill of [late, elsewhere]) {
    const keys = new ClientKeys(module, SECRET, "", fill);
    assert.throws(() => keys.issue(), /fill left the bytes as they were/);
  }
});

test("an invalid secret or list is an error", () => {
  for (const secret of ["", SECRET.slice(1), `${SECRET} `, SECRET.replace(/^./, "g"), "é".repeat(32)]) {
    assert.throws(() => new ClientKeys(module, secret, ID), /CLIENT_SECRET/);
  }
  for (const list of ["xxx, another-key", ID.slice(1), `${ID}x`, `${ID} ${ID}`, `${ID},é`]) {
    assert.throws(() => new ClientKeys(module, SECRET, list), /CLIENT_KEYS/);
  }
});

test("strings of any length and alphabet are malformed", () => {
  const keys = new ClientKeys(module, SECRET, ID);
  for (const text of ["", "ck1_", "\0", "é".repeat(31), "\ud800", "ck1_".repeat(100_000)]) {
    assert.deepEqual(keys.verify(text), { result: "malformed" });
  }
});

test("anything but a string is malformed", () => {
  const keys = new ClientKeys(module, SECRET, ID);
  const { keyAccessToken } = keys.issue();
  const { keyId } = keys.verify(keyAccessToken);
  const open = new ClientKeys(module, SECRET, keyId);
  assert.equal(open.verify(keyAccessToken).result, "accepted");
  for (const token of [undefined, null, 62, {}, [keyAccessToken], [...keyAccessToken], Buffer.from(keyAccessToken)]) {
    assert.deepEqual(open.verify(token), { result: "malformed" });
  }
});

test("a long list takes more pages of memory, and an id at its end is accepted", () => {
  const issued = Array.from({ length: 8000 }, () => new Uint8Array(15));
  issued.forEach((bytes) => crypto.getRandomValues(bytes));
  const ids = issued.map((bytes) => Buffer.from(bytes).toString("hex"));
  const issuer = new ClientKeys(module, SECRET, "");
  const { keyId, keyAccessToken } = issuer.issue();
  const keys = new ClientKeys(module, SECRET, [...ids, keyId].join(","));
  assert.deepEqual(keys.verify(keyAccessToken), { result: "accepted", keyId });
});

test("a closed instance throws", () => {
  const keys = new ClientKeys(module, SECRET, ID);
  keys.close();
  assert.throws(() => keys.verify("ck1_"), TypeError);
});

test("secrets and tokens are erased from what the host holds", (t) => {
  const encoded = t.mock.method(TextEncoder.prototype, "encode").mock;
  const instances = t.mock.method(WebAssembly, "Instance").mock;
  // The host's part of the memory, which begins with the secret.
  const held = () => {
    const { memory, __heap_base } = instances.calls.at(-1).result.exports;
    return Buffer.from(memory.buffer, (__heap_base.value + 15) & ~15);
  };
  const secretIsErased = () => {
    const { client_secret_size } = instances.calls.at(-1).result.exports;
    return held().subarray(0, client_secret_size()).every((byte) => byte === 0);
  };

  const keys = new ClientKeys(module, SECRET, ID);
  assert.ok(encoded.calls[0].result.every((byte) => byte === 0));
  // The list has overwritten the secret's first half.
  assert.ok(!held().includes(SECRET.slice(32)) && !held().includes(ID), "after reading");
  const { keyAccessToken } = keys.issue();
  assert.ok(!held().includes(keyAccessToken), "after issue");
  keys.verify(keyAccessToken);
  assert.ok(!held().includes(keyAccessToken), "after verify");
  assert.ok(!secretIsErased());
  keys.close();
  assert.ok(secretIsErased());

  assert.throws(() => new ClientKeys(module, SECRET, "xxx"), /CLIENT_KEYS/);
  assert.ok(secretIsErased(), "after a bad list");
});

test("size and time", () => {
  const { keyId, keyAccessToken } = new ClientKeys(module, SECRET, "").issue();
  const keys = new ClientKeys(module, SECRET, keyId);
  const time = (call) => {
    const runs = Array.from({ length: 5 }, () => {
      const start = performance.now();
      for (let i = 0; i < 2_000; i += 1) call();
      return (performance.now() - start) / 2;
    });
    return Math.min(...runs).toFixed(1);
  };
  const verify = time(() => keys.verify(keyAccessToken));
  const issue = time(() => keys.issue());
  console.log(`${wasm.length} bytes; verify ${verify} µs, issue ${issue} µs`);
  // Within 3 % of the size that Debian's compiler gives.
  assert.ok(Math.abs(wasm.length - 18_116) <= 18_116 * 0.03);
});
