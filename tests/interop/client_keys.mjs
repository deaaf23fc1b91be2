#!/usr/bin/env node
// client-keys tokens, version 1: issue and verify, on Node's own crypto.
import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from "node:crypto";
import { basename } from "node:path";

export class Refused extends Error {
  constructor(verdict, keyId) { // "malformed", "inauthentic" or "unlisted"; only the last has a keyId
    super(verdict);
    Object.assign(this, { verdict, keyId });
  }
}

export function parseSecret(text) { // Buffer.from alone would stop at the first wrong digit
  if (!/^[0-9A-Fa-f]{64}$/.test(text)) throw new RangeError("CLIENT_SECRET: expected 64 hexadecimal digits");
  return Buffer.from(text, "hex");
}

export function parseList(text) {
  return text.split(",").flatMap((entry, i) => {
    const found = /^[ \t\n\f\r]*([0-9A-Fa-f]{30})?[ \t\n\f\r]*$/.exec(entry);
    if (!found) throw new RangeError(`CLIENT_KEYS: entry ${i + 1}: expected 30 hexadecimal digits`);
    return found[1]?.toLowerCase() ?? [];
  });
}

export function issue(secret, drawn = randomBytes(27)) { // nonce and id from one draw
  if (drawn.length !== 27) throw new RangeError("expected 27 drawn bytes");
  const nonce = drawn.subarray(0, 12), id = drawn.subarray(12);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce, { authTagLength: 16 }).setAAD(Buffer.from("ck1_"));
  const payload = Buffer.concat([nonce, cipher.update(id), cipher.final(), cipher.getAuthTag()]);
  return [id.toString("hex"), "ck1_" + payload.toString("base64url")];
}

export function verify(secret, allowed, token) { // `allowed`: ids as parseList and issue return them
  // The decoder is lenient, so the pattern decides; [AQgw] are the last characters with 4 zero bits.
  if (typeof token !== "string" || !/^ck1_[A-Za-z0-9_-]{57}[AQgw]$/.test(token)) throw new Refused("malformed");
  const payload = Buffer.from(token.slice(4), "base64url");
  const cipher = createDecipheriv("aes-256-gcm", secret, payload.subarray(0, 12), { authTagLength: 16 });
  const id = cipher.setAAD(Buffer.from("ck1_")).setAuthTag(payload.subarray(27)).update(payload.subarray(12, 27));
  try { cipher.final(); } catch { throw new Refused("inauthentic"); } // final checks the tag
  const listed = allowed.filter((entry) => timingSafeEqual(Buffer.from(entry), Buffer.from(id.toString("hex"))));
  if (listed.length === 0) throw new Refused("unlisted", id.toString("hex"));
  return id.toString("hex");
}

if (basename(process.argv[1] ?? "") === "client_keys.mjs") {
  const [command, token] = process.argv.slice(2);
  try {
    const secret = parseSecret(process.env.CLIENT_SECRET), allowed = parseList(process.env.CLIENT_KEYS ?? "");
    if (command === "issue") console.log("key_id=%s\nkey_access_token=%s", ...issue(secret));
    else if (command === "verify" && token !== undefined) console.log("accepted", verify(secret, allowed, token));
    else throw new RangeError("usage: client_keys.mjs issue | verify TOKEN");
  } catch (error) {
    if (error instanceof Refused) console.log([error.verdict, error.keyId].filter(Boolean).join(" "));
    else console.error(error.message);
    process.exitCode = error instanceof Refused ? 1 : 2;
  }
}
