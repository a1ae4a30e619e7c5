import { createHash } from "node:crypto";

/**
 * Number of an advisory lock: 48 bits of a digest, so that installations in schemas of one database
 * do not meet. Two names of one number would wait for each other and nothing worse.
 */
export function lockKey(schema: string, name: string): number {
  const digest = createHash("sha256").update(`sealpost\0${schema}\0${name}`).digest();
  return digest.readUIntBE(0, 6);
}
