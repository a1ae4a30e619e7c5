import { randomFillSync, randomUUID } from "node:crypto";
import type { Random } from "../kernel/random.ts";

/** The operating system's randomness, through OpenSSL. */
export const systemRandom: Random = {
  bytes: (length) => randomFillSync(Buffer.allocUnsafeSlow(length)),
  uuid: () => randomUUID(),
};
