import { randomFillSync } from "node:crypto";

/** One system call fills many ids: they must be unique, they are not secret. */
const stock = Buffer.alloc(4096);
let used = stock.length;

/** Random bytes that never come again, at most 4 KiB: an id, a nonce, or both. */
export function fillUnique(bytes: Uint8Array, at: number, length: number): void {
  if (used + length > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  stock.copy(bytes, at, used, used + length);
  used += length;
}
