// The host's side of src/lib.rs, for Node.js and browsers: no dependencies, no generated bindings.

const ANSWERS = ["accepted", "malformed", "inauthentic", "unlisted"];
// A token has 62 characters. The 63rd is enough to tell that a text is none.
const TOKEN_ROOM = 63;
// What `fill` finds: no zeros, which the vectors draw.
const UNFILLED = 0xa5;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Client keys of one secret and one list of ids: `CLIENT_SECRET` and `CLIENT_KEYS` of the walk-through, as text. */
export class ClientKeys {
  #wasm;
  #secret;
  #allowed;
  #listed;
  #id;
  #text;
  #failure;

  /**
   * `module` is a compiled `WebAssembly.Module`; `fill` puts random bytes, fit for keys, into the array it is given
   * before it returns.
   */
  constructor(module, clientSecret, clientKeys, fill = (bytes) => crypto.getRandomValues(bytes)) {
    const host = {
      // An exception through the module's frames would leave them on its stack: issue() throws it instead.
      random: (to, length) => {
        try {
          const bytes = new Uint8Array(this.#wasm.memory.buffer, to >>> 0, length).fill(UNFILLED);
          fill(bytes);
          // It fills later or something else: the nonce would be the same for every key.
          if (bytes.every((byte) => byte === UNFILLED)) throw new Error("fill left the bytes as they were");
          return 1;
        } catch (error) {
          this.#failure = error;
          return 0;
        }
      },
    };
    this.#wasm = new WebAssembly.Instance(module, { host }).exports;

    // One after the other past the module's own data: the secret, the id of an answer, texts, the list at the end.
    const secret = encoder.encode(clientSecret);
    const list = encoder.encode(clientKeys);
    const room = clientKeys.split(",").length;
    this.#secret = (this.#wasm.__heap_base.value + 15) & ~15;
    this.#id = this.#secret + this.#wasm.client_secret_size();
    this.#text = this.#id + 16;
    this.#allowed = (this.#text + Math.max(secret.length, list.length, TOKEN_ROOM) + 15) & ~15;
    const end = this.#allowed + room * this.#wasm.key_id_size();
    const missing = end - this.#wasm.memory.buffer.byteLength;
    if (missing > 0) this.#wasm.memory.grow(Math.ceil(missing / 65536));

    const memory = new Uint8Array(this.#wasm.memory.buffer);
    memory.set(secret, this.#text);
    const good = this.#wasm.read_client_secret(this.#text, secret.length, this.#secret);
    memory.fill(0, this.#text, this.#text + secret.length);
    secret.fill(0);
    if (!good) throw new Error("CLIENT_SECRET is not 64 hexadecimal digits");
    memory.set(list, this.#text);
    this.#listed = this.#wasm.read_client_keys(this.#text, list.length, this.#allowed, room);
    memory.fill(0, this.#text, this.#text + list.length);
    if (this.#listed < 0) {
      this.close();
      throw new Error("CLIENT_KEYS is not a list of ids");
    }
  }

  /** `{ result, keyId }`: as in tests/vectors.json; `keyId` is there if the token was authentic. */
  verify(token) {
    if (typeof token !== "string") return { result: "malformed" };
    const bytes = encoder.encode(token.slice(0, TOKEN_ROOM)).subarray(0, TOKEN_ROOM);
    const memory = new Uint8Array(this.#wasm.memory.buffer);
    memory.set(bytes, this.#text);
    const answer = this.#wasm.verify(
      this.#secret, this.#allowed, this.#listed, this.#text, bytes.length, this.#id,
    );
    memory.fill(0, this.#text, this.#text + bytes.length);
    const result = ANSWERS[answer];
    return answer === 0 || answer === 3 ? { result, keyId: this.#keyId() } : { result };
  }

  /** A new key. Neither part of it can be had again. */
  issue() {
    if (!this.#wasm.issue(this.#secret, this.#id, this.#text)) throw this.#failure;
    const token = new Uint8Array(this.#wasm.memory.buffer, this.#text, 62);
    const keyAccessToken = decoder.decode(token);
    token.fill(0);
    return { keyId: this.#keyId(), keyAccessToken };
  }

  /**
   * Erases the secret from its own storage: the text that it was read from is the caller's, and the engine's to erase.
   * No key is verified or issued after it.
   */
  close() {
    this.#wasm.drop_client_secret(this.#secret);
    this.#wasm = undefined;
  }

  #keyId() {
    const bytes = new Uint8Array(this.#wasm.memory.buffer, this.#id, 15);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
