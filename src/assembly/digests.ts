import { createHmac } from "node:crypto";
import { labels } from "../crypto/constants.ts";
import { deriveKey } from "../crypto/derive.ts";
import type { RingKey } from "../crypto/keyring.ts";
import type { DeduplicationDigests } from "../services/sqs/service.ts";

/** 128 bits: enough that no two sends meet by chance in five minutes. */
const digestBytes = 16;

/** By the keys of the ring that authenticate what clients hold, each under a label of its own. */
export function createDigests(ring: readonly RingKey[]): DeduplicationDigests {
  const keys = ring
    .toSorted((a, b) => b.version - a.version)
    .map(({ key }) => deriveKey(key, labels.deduplication, new Uint8Array(0)));
  return {
    of: (text) =>
      keys.map((key) => createHmac("sha256", key).update(text).digest().subarray(0, digestBytes)),
  };
}
