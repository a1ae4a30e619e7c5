import { digestBytes, keyBytes, labels } from "../crypto/constants.ts";
import { hkdf } from "../crypto/derive.ts";
import { openRing, type RingKey, rootKeyFingerprint, sealRing } from "../crypto/keyring.ts";
import { publicKeyOf, unwrapKey, wrapKey } from "../crypto/wrap.ts";
import { assert, Fault } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import type { Seal } from "../seals/seal.ts";
import type { Field } from "./protocol.ts";

/*
 * A backup has one key, the carrying key: its ring is sealed under it, and the keys of header and
 * payload follow from it. It is wrapped for one or more backup keys and never leaves the key
 * process, so whoever handles a backup's rows can open no ring.
 */

/** Key of the header's MAC and key of the payload: they lead back to nothing. */
function handedOut(carrying: Buffer, id: Buffer): readonly [header: Buffer, payload: Buffer] {
  return [hkdf(carrying, id, labels.backupHeader), hkdf(carrying, id, labels.backupPayload)];
}

/** id (base64), public key … → sealed ring, header key, payload key, then encapsulation, wrapped … */
export async function sealBackup(
  ring: readonly RingKey[],
  fields: readonly Buffer[],
  random: Random,
): Promise<readonly Field[]> {
  const [idText, ...publicKeys] = fields;
  const id = Buffer.from(String(idText), "base64");
  assert(id.length === digestBytes && publicKeys.length > 0, "a backup is for somebody");
  const carrying = random.bytes(keyBytes);
  try {
    const sealedRing = sealRing(carrying, ring, random);
    const wraps = await wrapAll(carrying, id, publicKeys, random);
    return [sealedRing, ...handedOut(carrying, id), ...wraps];
  } finally {
    carrying.fill(0);
  }
}

async function wrapAll(
  carrying: Buffer,
  id: Buffer,
  publicKeys: readonly Buffer[],
  random: Random,
): Promise<readonly Field[]> {
  const fields: Field[] = [];
  for (const publicKey of publicKeys) {
    const { encapsulation, wrapped } = await wrapKey(publicKey, carrying, id, random);
    fields.push(encapsulation, wrapped);
  }
  return fields;
}

/** Opens or makes a backup key: public key, stored seal (JSON). */
export async function backupKey(seal: Seal): Promise<readonly Field[]> {
  const { rootKeys, stored } = await seal.unwrapRoot();
  try {
    const [seed] = rootKeys;
    assert(seed !== undefined, "a seal has a root key");
    return [await publicKeyOf(seed), JSON.stringify(stored)];
  } finally {
    for (const key of rootKeys) key.fill(0);
  }
}

/** A backup whose carrying key this process holds. */
export interface OpenBackup {
  /** Header key, payload key. */
  readonly keys: readonly Field[];
  /** public key … → encapsulation, wrapped … */
  wrapFor(publicKeys: readonly Buffer[]): Promise<readonly Field[]>;
  /** The backup's ring under the root key of `to`: ring, fingerprint, stored seal (JSON). */
  reseal(sealedRing: Buffer, to: Seal): Promise<readonly Field[]>;
}

/** Throws Fault `backup-key-wrong`, and what the seal throws. */
export async function openBackup(
  seal: Seal,
  id: Buffer,
  encapsulation: Buffer,
  wrapped: Buffer,
  random: Random,
): Promise<OpenBackup> {
  const { rootKeys: seeds } = await seal.unwrapRoot();
  const [seed] = seeds;
  assert(seed !== undefined, "a seal has a root key");
  const carrying = await unwrapKey(seed, { encapsulation, wrapped }, id);
  for (const key of seeds) key.fill(0);
  if (carrying === undefined) {
    throw new Fault("backup-key-wrong", `the ${seal.name} does not open this backup`);
  }
  return {
    keys: handedOut(carrying, id),
    wrapFor: (publicKeys) => wrapAll(carrying, id, publicKeys, random),
    async reseal(sealedRing, to) {
      const opened = openRing(carrying, sealedRing);
      if (opened.status !== "opened") {
        throw new Fault("key-ring-damaged", "the key ring in the backup does not open");
      }
      return sealUnder(to, opened.ring, random);
    },
  };
}

async function sealUnder(
  to: Seal,
  ring: readonly RingKey[],
  random: Random,
): Promise<readonly Field[]> {
  const { rootKeys, stored } = await to.unwrapRoot();
  try {
    const [rootKey] = rootKeys;
    assert(rootKey !== undefined, "a seal has a root key");
    const sealedRing = sealRing(rootKey, ring, random);
    return [sealedRing, rootKeyFingerprint(rootKey), JSON.stringify(stored)];
  } finally {
    for (const key of [...rootKeys, ...ring.map((one) => one.key)]) key.fill(0);
  }
}
