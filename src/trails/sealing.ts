import { nonceBytes } from "../crypto/constants.ts";
import type { Call } from "../kernel/call.ts";
import type { ServiceCaller } from "../kernel/caller.ts";
import { Fault } from "../kernel/errors.ts";
import type { Invoke } from "../kernel/invoke.ts";
import type { KeyVault, WrappedMaterial } from "../kernel/keyvault.ts";
import type { Outcome } from "../kernel/operation.ts";
import type { Random } from "../kernel/random.ts";
import type { Soon } from "../kernel/soon.ts";
import { cloudtrailFor, encryptionContext } from "../services/cloudtrail/configure.ts";
import { trailArn } from "../services/cloudtrail/names.ts";
import type { TrailIdentity } from "../services/cloudtrail/store.ts";
import { openObject, readHead, type SealedHead, sealObject } from "./form.ts";

/** Runs something as a service of the server itself; the pipeline's `runAs`. */
export type RunAs = <O>(
  session: {
    readonly caller: ServiceCaller;
    readonly service: string;
    readonly operation: string;
    readonly region: string;
  },
  act: (call: Call) => Soon<Outcome<O>>,
) => Promise<O>;

export interface SealingDependencies {
  readonly vault: Pick<KeyVault, "generateDataKey" | "decrypt">;
  /** Key of the installation for trails that name none. */
  readonly owned: {
    readonly accountId: string;
    readonly keyId: string;
    readonly arn: string;
    readonly material: WrappedMaterial;
  };
  readonly invoke: Invoke;
  readonly runAs: RunAs;
  readonly random: Random;
  /** Files of trails that name no key stay plain gzip. */
  readonly plain: boolean;
}

export interface ObjectName {
  readonly trail: TrailIdentity;
  readonly bucket: string;
  readonly key: string;
}

/** Seals and opens the objects of trails. */
export interface ObjectSealing {
  /**
   * Answers gzip as it came if trails are plain and the trail names no key. Throws KMS's refusal
   * (`AccessDeniedException`, `DisabledException`, …).
   */
  seal(name: ObjectName, gzip: Uint8Array, kmsKeyArn: string | undefined): Promise<Buffer>;
  /** Opens what a key of the installation sealed. undefined: changed, or under a KMS key. */
  openOwned(bytes: Buffer): Promise<Buffer | undefined>;
  /** Data key of an object that a key of the installation sealed; the receiver wipes it. */
  ownedDataKey(head: SealedHead): Promise<Buffer | undefined>;
}

const dataKeyBytes = 32;

interface FreshKey {
  readonly plaintext: Buffer;
  readonly blob: Uint8Array;
  readonly keyArn: string;
}

export function createSealing(deps: SealingDependencies): ObjectSealing {
  const { owned, vault } = deps;
  const identity = { accountId: owned.accountId, keyId: owned.keyId, material: owned.material };

  async function ownedDataKey(head: SealedHead): Promise<Buffer | undefined> {
    if (head.mode !== "owned" || head.keyArn !== owned.arn) return undefined;
    const context = { "aws:cloudtrail:arn": head.trailArn };
    const blob = Buffer.from(head.dataKey, "base64");
    return vault.decrypt({ ...identity, context, blob });
  }

  async function ownedKey(trail: TrailIdentity): Promise<FreshKey> {
    const context = encryptionContext(trail);
    const fresh = await vault.generateDataKey({ ...identity, context, lengthBytes: dataKeyBytes });
    return { ...fresh, keyArn: owned.arn };
  }

  return {
    ownedDataKey,
    async seal({ trail, bucket, key }, gzip, kmsKeyArn) {
      if (deps.plain && kmsKeyArn === undefined) return Buffer.from(gzip);
      const fresh =
        kmsKeyArn === undefined ? await ownedKey(trail) : await kmsKey(deps, trail, kmsKeyArn);
      try {
        return sealObject(gzip, fresh.plaintext, deps.random.bytes(nonceBytes), {
          mode: kmsKeyArn === undefined ? "owned" : "kms",
          keyArn: fresh.keyArn,
          trailArn: trailArn(trail),
          bucket,
          key,
          dataKey: Buffer.from(fresh.blob).toString("base64"),
        });
      } finally {
        fresh.plaintext.fill(0);
      }
    },
    async openOwned(bytes) {
      const head = readHead(bytes);
      const dataKey = head && (await ownedDataKey(head));
      if (!head || !dataKey) return undefined;
      try {
        return openObject(bytes, head, dataKey);
      } finally {
        dataKey.fill(0);
      }
    },
  };
}

/** AWS: CloudTrail asks for a data key for each file, as itself, for the trail. */
async function kmsKey(
  { invoke, runAs }: SealingDependencies,
  trail: TrailIdentity,
  keyArn: string,
): Promise<FreshKey> {
  const as = cloudtrailFor(trail);
  if (as.kind !== "service") throw new Error("CloudTrail seals as itself");
  const { kind, service, sourceArn, sourceAccountId } = as;
  const session = {
    caller: { kind, service, sourceArn, sourceAccountId },
    service: "cloudtrail",
    operation: "DeliverLogFile",
    region: trail.region,
  };
  const target = {
    service: "kms",
    operation: "GenerateDataKey",
    region: keyArn.split(":")[3] ?? trail.region,
    as,
  };
  const input = {
    KeyId: keyArn,
    KeySpec: "AES_256",
    EncryptionContext: encryptionContext(trail),
  };
  const output = await runAs(session, (call) =>
    invoke<{ Plaintext: Buffer; CiphertextBlob: Buffer; KeyId: string }>(call, target, input),
  );
  if (output.Plaintext.length !== dataKeyBytes) {
    throw new Fault("trail-data-key", "a data key has another length than was asked for");
  }
  return { plaintext: output.Plaintext, blob: output.CiphertextBlob, keyArn: output.KeyId };
}
