import type { Random } from "../../kernel/random.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** AWS: what the first four letters of a unique id say. */
export type EntityPrefix = "AIDA" | "AGPA" | "AROA" | "ANPA" | "AIPA";

/** Prefix and 17 of [A-Z2-7]: 85 bits, so that no id ever comes twice. */
export function newEntityId(prefix: EntityPrefix, random: Random): string {
  return prefix + letters(random, 17);
}

/** `AKIA` and 16 of [A-Z2-7]. */
export function newAccessKeyId(random: Random): string {
  return `AKIA${letters(random, 16)}`;
}

/** 240 random bits as 40 characters of [A-Za-z0-9+/]. */
export function newSecretAccessKey(random: Random): Buffer {
  const bytes = random.bytes(30);
  const secret = Buffer.from(bytes.toString("base64"), "latin1");
  bytes.fill(0);
  return secret;
}

function letters(random: Random, count: number): string {
  let text = "";
  for (const byte of random.bytes(count)) text += alphabet.charAt(byte & 31);
  return text;
}
