import { constants, createHash, type KeyObject, privateEncrypt, publicEncrypt } from "node:crypto";

/*
 * RSA blocks written out by hand (RFC 8017), so that a test can write them wrongly. Nothing here is
 * shared with the code under test.
 */
const padding = constants.RSA_NO_PADDING;

export type Hash = "sha1" | "sha256" | "sha384" | "sha512";

export const digestOf = (hash: Hash, bytes: Uint8Array): Buffer =>
  createHash(hash).update(bytes).digest();

/** The private operation on a block as long as the modulus. */
export const signBlock = (key: KeyObject, block: Buffer): Buffer =>
  privateEncrypt({ key, padding }, block);

/** The public operation on a block as long as the modulus. */
export const encryptBlock = (key: KeyObject, block: Buffer): Buffer =>
  publicEncrypt({ key, padding }, block);

const digestInfoHeads = {
  sha1: "3021300906052b0e03021a05000414",
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
} as const;

export function digestInfo(hash: Hash, digest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(digestInfoHeads[hash], "hex"), digest]);
}

/** 00 ‖ type ‖ FF… ‖ 00 ‖ what; `tail` bytes of nothing after it. */
export function paddedBlock(size: number, what: Buffer, type = 1, tail = 0): Buffer {
  const block = Buffer.alloc(size, 0xff);
  block[0] = 0;
  block[1] = type;
  const at = size - what.length - tail;
  block[at - 1] = 0;
  what.copy(block, at);
  block.fill(0, size - tail);
  return block;
}

export function mgf1(hash: Hash, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; parts.length * 20 < length + 64; index += 1) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(index);
    parts.push(digestOf(hash, Buffer.concat([seed, counter])));
  }
  return Buffer.concat(parts).subarray(0, length);
}

export function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

export interface PssForm {
  readonly hash?: Hash;
  readonly mgf?: Hash;
  readonly salt?: Buffer;
  readonly trailer?: number;
  readonly separator?: number;
  readonly firstBit?: boolean;
  readonly zeros?: number;
}

/** EMSA-PSS of a digest, in whatever form. */
export function pssBlock(size: number, digest: Buffer, form: PssForm): Buffer {
  const { hash = "sha256", mgf = hash, salt = Buffer.alloc(digest.length, 7) } = form;
  const hashed = digestOf(hash, Buffer.concat([Buffer.alloc(8, form.zeros ?? 0), digest, salt]));
  const data = Buffer.alloc(size - hashed.length - 1);
  data[data.length - salt.length - 1] = form.separator ?? 1;
  salt.copy(data, data.length - salt.length);
  const masked = xor(data, mgf1(mgf, hashed, data.length));
  masked[0] = form.firstBit ? (masked[0] ?? 0) | 0x80 : (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, hashed, Buffer.of(form.trailer ?? 0xbc)]);
}

export interface OaepForm {
  readonly hash?: Hash;
  readonly mgf?: Hash;
  readonly label?: string;
  readonly first?: number;
  readonly separator?: number;
  readonly filler?: number;
}

/** EME-OAEP of a message, in whatever form. */
export function oaepBlock(size: number, message: Buffer, form: OaepForm): Buffer {
  const { hash = "sha256", mgf = hash, label = "" } = form;
  const labelHash = digestOf(hash, Buffer.from(label));
  const data = Buffer.alloc(size - labelHash.length - 1, form.filler ?? 0);
  labelHash.copy(data);
  data[data.length - message.length - 1] = form.separator ?? 1;
  message.copy(data, data.length - message.length);
  const seed = Buffer.alloc(labelHash.length, 9);
  const masked = xor(data, mgf1(mgf, seed, data.length));
  const maskedSeed = xor(seed, mgf1(mgf, masked, seed.length));
  return Buffer.concat([Buffer.of(form.first ?? 0), maskedSeed, masked]);
}
