// Decrypts the files of a page without a server: ChaCha20 (RFC 8439), because browsers offer ciphers with https only.

const NONCE_BYTES = 12;
const SLICE_WORDS = 2 ** 14; // decrypted at once; more would keep the page from drawing a frame
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]; // "expand 32-byte k"

/** Bytes of base64 that is safe in addresses. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** The key of a list, derived from the key of all lists. */
export function listKey(allKey, number) {
  const key = new Uint32Array(16);
  apply(key, allKey, Uint32Array.of(number, 0, 0), 0, key.length);
  return new Uint8Array(key.buffer, 0, 32);
}

/** Return the content of a file that `gan_eval/quiz/serve/cipher.py` sealed: a nonce, then whole blocks. */
export async function opened(file, key) {
  const nonce = new Uint32Array(file, 0, NONCE_BYTES / 4);
  const words = new Uint32Array(file, NONCE_BYTES);
  for (let from = 0; from < words.length; from += SLICE_WORDS) {
    if (from) await new Promise((resolve) => setTimeout(resolve));
    apply(words, key, nonce, from, Math.min(words.length, from + SLICE_WORDS));
  }
  return new Uint8Array(file, NONCE_BYTES);
}

/** Encrypt or decrypt, in place, the words `from` to `to` of a content; both are multiples of 16. */
function apply(words, key, nonce, from, to) {
  const start = Uint32Array.of(...CONSTANTS, ...new Uint32Array(key.buffer, key.byteOffset, 8), 0, ...nonce);
  const state = new Uint32Array(16);
  for (let at = from; at < to; at += 16) {
    start[12] = at / 16;
    state.set(start);
    for (let round = 0; round < 10; round += 1) {
      mix(state, 0, 4, 8, 12);
      mix(state, 1, 5, 9, 13);
      mix(state, 2, 6, 10, 14);
      mix(state, 3, 7, 11, 15);
      mix(state, 0, 5, 10, 15);
      mix(state, 1, 6, 11, 12);
      mix(state, 2, 7, 8, 13);
      mix(state, 3, 4, 9, 14);
    }
    for (let place = 0; place < 16; place += 1) words[at + place] ^= state[place] + start[place];
  }
}

/** The quarter round on four words of the state. */
function mix(state, a, b, c, d) {
  state[a] += state[b];
  state[d] = rotated(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = rotated(state[b] ^ state[c], 12);
  state[a] += state[b];
  state[d] = rotated(state[d] ^ state[a], 8);
  state[c] += state[d];
  state[b] = rotated(state[b] ^ state[c], 7);
}

const rotated = (word, bits) => (word << bits) | (word >>> (32 - bits));
