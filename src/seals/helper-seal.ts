import { keyBytes } from "../crypto/constants.ts";
import { Fault } from "../kernel/errors.ts";
import type { Pkcs11SealSettings } from "./pkcs11.ts";
import type { Seal } from "./seal.ts";
import type { StoredSeal } from "./stored.ts";

export interface AwsKmsSealSettings {
  readonly kind: "aws-kms";
  /** Key id, ARN or alias in the other KMS. */
  readonly keyId: string;
  readonly endpoint: string;
  readonly region: string;
  /** PEM of the CA that certifies the endpoint; undefined: those of the system. */
  readonly caFile?: string;
}

/** What the helper says, in one piece: a root key with what must be stored, or why not. */
export type HelperAnswer =
  | { readonly rootKey: Buffer; readonly stored: StoredSeal }
  | { readonly fault: string; readonly message: string };

/**
 * A seal that needs the network or a native library. The key process has neither: a helper opens
 * it, hands the root key over on a pipe that leads here alone, and ends.
 */
export function helperSeal(
  settings: Pkcs11SealSettings | AwsKmsSealSettings,
  helper: () => Promise<HelperAnswer>,
): Seal {
  return {
    name:
      settings.kind === "pkcs11"
        ? `PKCS #11 key ${settings.keyLabel}`
        : `KMS key ${settings.keyId} at ${settings.endpoint}`,
    async unwrapRoot() {
      const answer = await helper();
      if ("fault" in answer) throw new Fault(answer.fault, answer.message);
      return { rootKeys: [answer.rootKey], stored: answer.stored };
    },
  };
}

/*
 * On the pipe: u32be length of the facts ‖ facts (JSON) ‖ root key (32 bytes, absent with a fault).
 */
export function encodeHelperAnswer(answer: HelperAnswer): Buffer {
  const facts = Buffer.from(JSON.stringify("fault" in answer ? answer : { stored: answer.stored }));
  const rootKey = "fault" in answer ? Buffer.alloc(0) : answer.rootKey;
  const bytes = Buffer.allocUnsafeSlow(4 + facts.length + rootKey.length);
  bytes.writeUInt32BE(facts.length);
  bytes.set(facts, 4);
  bytes.set(rootKey, 4 + facts.length);
  rootKey.fill(0);
  return bytes;
}

/** Reads and wipes what came. A helper that said nothing whole is one that failed. */
export function decodeHelperAnswer(bytes: Buffer): HelperAnswer {
  const factsBytes = bytes.length >= 4 ? bytes.readUInt32BE() : 0;
  const rootAt = 4 + factsBytes;
  const failed = {
    fault: "seal-unavailable",
    message: "the helper that opens the seal ended without an answer",
  };
  if (factsBytes === 0 || bytes.length < rootAt) return failed;
  const facts = JSON.parse(bytes.toString("utf8", 4, rootAt));
  if (typeof facts.fault === "string") return { fault: facts.fault, message: facts.message };
  if (bytes.length !== rootAt + keyBytes) return failed;
  const rootKey = Buffer.allocUnsafeSlow(keyBytes);
  bytes.copy(rootKey, 0, rootAt);
  bytes.fill(0);
  return { rootKey, stored: facts.stored };
}
