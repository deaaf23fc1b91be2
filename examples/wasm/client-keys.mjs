// The host's side of src/lib.rs, for Node.js and browsers: no dependencies, no generated bindings.

const ANSWERS = ["accepted", "malformed", "inauthentic", "unlisted"];
// A token has 62 characters, so 63 show that a text is too long.
const TOKEN_ROOM = 63;
// The bytes before `fill`. Not zeros, because some vectors draw zeros.
const UNFILLED = 0xa5;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Client keys of one secret and one allow list: the texts of `CLIENT_SECRET` and `CLIENT_KEYS`. */
export class ClientKeys {
  #wasm;
  #secret;
  #allowed;
  #listed;
  #id;
  #text;
  #failure;

  /**
   * `module` is a compiled `WebAssembly.Module`. Before it returns, `fill` fills the given array with random bytes that
   * are fit for keys.
   */
  constructor(module, clientSecret, clientKeys, fill = (bytes) => crypto.getRandomValues(bytes)) {
    const host = {
      // An exception through the module's frames would leave them on its stack, so issue() throws it instead.
      random: (to, length) => {
        try {
          const bytes = new Uint8Array(this.#wasm.memory.buffer, to >>> 0, length).fill(UNFILLED);
          fill(bytes);
          // `fill` has not filled the array yet: every key would have the same nonce.
          if (bytes.every((byte) => byte === UNFILLED)) throw new Error("fill left the bytes as they were");
          return 1;
        } catch (error) {
          this.#failure = error;
          return 0;
        }
      },
    };
    this.#wasm = new WebAssembly.Instance(module, { host }).exports;

    // After the module's own data, in this order: the secret, the id of an answer, texts, the list.
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

  /** Returns `{ result, keyId }` as in tests/vectors.json; only an authentic token has a `keyId`. */
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

  /** Issues a key. A lost token cannot be recovered. */
  issue() {
    if (!this.#wasm.issue(this.#secret, this.#id, this.#text)) throw this.#failure;
    const token = new Uint8Array(this.#wasm.memory.buffer, this.#text, 62);
    const keyAccessToken = decoder.decode(token);
    token.fill(0);
    return { keyId: this.#keyId(), keyAccessToken };
  }

  /**
   * Erases the secret from the module's memory, but not the text that the caller passed. The instance can then neither
   * verify nor issue.
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
