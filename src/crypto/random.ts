import { randomFillSync } from "node:crypto";
import type { Random } from "../kernel/random.ts";
import { randomUuid } from "./uuid.ts";

/** The operating system's randomness, through OpenSSL. */
export const systemRandom: Random = {
  bytes: (length) => randomFillSync(Buffer.allocUnsafeSlow(length)),
  uuid: randomUuid,
};

const stockBytes = 4096;
const pieceBytesMax = 64;

/**
 * The same in stock: one call for many small pieces, each wiped from the stock as it is handed out.
 * What lies in stock is as secret as what it will be.
 */
export function stockedRandom(): Random {
  const stock = Buffer.allocUnsafeSlow(stockBytes);
  let used = stockBytes;
  return {
    bytes(length) {
      if (length > pieceBytesMax) return systemRandom.bytes(length);
      if (used + length > stockBytes) {
        randomFillSync(stock);
        used = 0;
      }
      const piece = Buffer.allocUnsafeSlow(length);
      stock.copy(piece, 0, used, used + length);
      stock.fill(0, used, used + length);
      used += length;
      return piece;
    },
    uuid: randomUuid,
  };
}
