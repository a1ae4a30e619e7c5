import { timingSafeEqual } from "node:crypto";
import {
  agreeOn,
  isNative,
  macOf,
  type SigningQuestion,
  signNative,
  verifyNative,
} from "../crypto/signature.ts";
import { assert } from "../kernel/errors.ts";
import { isKeySpec, type KeySpec, type MessageType } from "../kernel/key-specs.ts";
import type { Random } from "../kernel/random.ts";
import { signDigest, verifyDigest } from "./digest-signatures.ts";
import type { Materials } from "./materials.ts";
import { type Field, field, keyFieldCount, operations, textField } from "./protocol.ts";

/** Signatures, MACs and key agreement. undefined: it is none of these operations. */
export function keyOperation(
  materials: Materials,
  random: Random,
  operation: number,
  fields: readonly Buffer[],
): Promise<readonly Field[]> | readonly Field[] | undefined {
  switch (operation) {
    case operations.sign:
      return signed(materials, random, fields);
    case operations.verify:
      return verified(fields);
    case operations.mac:
      return [mac(materials, fields)];
    case operations.verifyMac: {
      const made = mac(materials, fields);
      const given = field(fields, keyFieldCount + 1);
      return [flag(made.length === given.length && timingSafeEqual(made, given))];
    }
    case operations.agree: {
      const secret = agreeOn(materialOf(materials, fields), field(fields, keyFieldCount));
      return secret === undefined ? [] : [secret];
    }
    default:
      return undefined;
  }
}

async function signed(
  materials: Materials,
  random: Random,
  fields: readonly Buffer[],
): Promise<readonly Field[]> {
  const question = signingQuestion(fields);
  if (!isNative(question)) return [await signDigest(question, materialOf(materials, fields))];
  const [identity, wrapped] = [field(fields, 0), field(fields, 1)];
  const privateKey = materials.openPrivateKey(identity, wrapped, question.keySpec);
  return [await signNative(question, privateKey, random)];
}

async function verified(fields: readonly Buffer[]): Promise<readonly Field[]> {
  const question = signingQuestion(fields);
  const publicKey = Buffer.from(field(fields, 3));
  const signature = Buffer.from(field(fields, keyFieldCount + 3));
  const holds = isNative(question)
    ? await verifyNative(question, publicKey, signature)
    : await verifyDigest(question, publicKey, signature);
  return [flag(holds)];
}

/** The message is copied: a frame's bytes are wiped while a thread still works on it. */
function signingQuestion(fields: readonly Buffer[]): SigningQuestion {
  return {
    keySpec: specField(fields, 2),
    algorithm: textField(fields, keyFieldCount),
    messageType: textField(fields, keyFieldCount + 1) as MessageType,
    message: Buffer.from(field(fields, keyFieldCount + 2)),
  };
}

function mac(materials: Materials, fields: readonly Buffer[]): Buffer {
  const key = materialOf(materials, fields);
  return macOf(specField(fields, 2), key, field(fields, keyFieldCount));
}

function materialOf(materials: Materials, fields: readonly Buffer[]): Buffer {
  return materials.open(field(fields, 0), field(fields, 1), specField(fields, 2));
}

export function specField(fields: readonly Buffer[], index: number): KeySpec {
  const text = textField(fields, index);
  assert(isKeySpec(text), "a frame names a key spec");
  return text;
}

export function flag(value: boolean): string {
  return value ? "1" : "";
}
