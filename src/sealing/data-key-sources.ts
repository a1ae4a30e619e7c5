import { timingSafeEqual } from "node:crypto";
import { formatArn } from "../kernel/arn.ts";
import type { Call } from "../kernel/call.ts";
import { Fault } from "../kernel/errors.ts";
import type { Invoke, InvokeIdentity } from "../kernel/invoke.ts";
import type { EncryptionContext, KeyVault, WrappedMaterial } from "../kernel/keyvault.ts";
import type { StoredDataKey } from "../kernel/sealed.ts";
import type { OpeningPlace, SealingPlace } from "../kernel/sealer.ts";

/** Where data keys of one sealing mode come from. */
export interface DataKeySource {
  /** The receiver owns `plaintext` and wipes it. */
  generate(call: Call, place: SealingPlace): Promise<GeneratedDataKey>;
  open(call: Call, place: OpeningPlace, dataKey: StoredDataKey): Promise<Buffer>;
}

export interface GeneratedDataKey {
  readonly plaintext: Buffer;
  readonly blob: Uint8Array;
  readonly keyArn: string;
}

const dataKeyBytes = 32;

/** Names of the encryption context that AWS uses per service. */
export const contextNames = { sns: "aws:sns:topicArn", sqs: "aws:sqs:arn" } as const;

/** SSE-KMS: the KMS service is asked as the caller, or as the service acting for its resource. */
export function kmsSource(invoke: Invoke): DataKeySource {
  return {
    async generate(call, place) {
      const { encryption } = place;
      if (encryption.mode !== "kms") throw new Error("not a KMS sealing place");
      const as = identity(call, place.service);
      const context = { [contextNames[place.service]]: place.arn };
      const { output } = await invoke<GenerateDataKeyOutput>(
        call,
        { service: "kms", operation: "GenerateDataKey", region: place.region, as },
        { KeyId: keyOf(call, place), KeySpec: "AES_256", EncryptionContext: context },
      );
      const fresh = {
        plaintext: output.Plaintext,
        blob: output.CiphertextBlob,
        keyArn: output.KeyId,
      };
      if (!encryption.requireDecrypt) return fresh;
      const again = await decrypt(invoke, call, as, place.region, fresh.blob, context);
      const same = timingSafeEqual(again, fresh.plaintext);
      again.fill(0);
      if (!same) throw new Error("a data key opened to something else");
      return fresh;
    },
    async open(call, place, dataKey) {
      const as = identity(call, place.service);
      const context = contextOf(dataKey);
      return decrypt(invoke, call, as, dataKey.region, dataKey.blob, context);
    },
  };
}

/** The context that a data key was made under, whoever opens it where. */
export function contextOf({ sealingArn }: StoredDataKey): EncryptionContext {
  const sealedBy = sealingArn.split(":")[2] === "sns" ? "sns" : "sqs";
  return { [contextNames[sealedBy]]: sealingArn };
}

/**
 * AWS: an unqualified key id or alias is one of the resource's account. The KMS resolves names in
 * the caller's, so a foreign caller's call names the owner's key by ARN.
 */
export function keyOf(call: Call, { encryption, accountId, region }: SealingPlace): string {
  const keyId = encryption.mode === "kms" ? encryption.keyId : "";
  if (keyId.startsWith("arn:") || call.accountId === accountId) return keyId;
  return formatArn("kms", region, accountId, keyId.startsWith("alias/") ? keyId : `key/${keyId}`);
}

interface GenerateDataKeyOutput {
  readonly Plaintext: Buffer;
  readonly CiphertextBlob: Buffer;
  readonly KeyId: string;
}

async function decrypt(
  invoke: Invoke,
  call: Call,
  as: InvokeIdentity,
  region: string,
  blob: Uint8Array,
  context: EncryptionContext,
): Promise<Buffer> {
  const { output } = await invoke<{ Plaintext: Buffer }>(
    call,
    { service: "kms", operation: "Decrypt", region, as },
    { CiphertextBlob: blob, EncryptionContext: context },
  );
  return output.Plaintext;
}

/**
 * AWS: a service uses the identity of the caller (forward access session); where the caller is a
 * service itself (SNS delivering to a queue), that service asks for its own resource.
 */
export function identity(call: Call, service: "sns" | "sqs"): InvokeIdentity {
  const { caller } = call;
  if (caller.kind !== "service") return { kind: "caller", via: `${service}.amazonaws.com` };
  const { service: principal, sourceArn, sourceAccountId } = caller;
  return { kind: "service", service: principal, sourceArn, sourceAccountId };
}

/** A key of the installation itself: for SSE-SQS, and for resources that asked for no SSE. */
export interface OwnedKey {
  readonly accountId: string;
  readonly keyId: string;
  readonly arn: string;
  readonly material: WrappedMaterial;
}

/** No user's permission, no audit: what AWS calls an AWS owned key. */
export function ownedSource(vault: KeyVault, key: OwnedKey): DataKeySource {
  const { accountId, keyId, material } = key;
  return {
    async generate(_call, place) {
      const context = { [contextNames[place.service]]: place.arn };
      const request = { accountId, keyId, material, context, lengthBytes: dataKeyBytes };
      return { ...(await vault.generateDataKey(request)), keyArn: key.arn };
    },
    async open(_call, _place, dataKey) {
      const context = contextOf(dataKey);
      const opened = await vault.decrypt({
        accountId,
        keyId,
        material,
        context,
        blob: dataKey.blob,
      });
      if (!opened) throw new Fault("data-key-authentication", "a stored data key is not authentic");
      return opened;
    },
  };
}
