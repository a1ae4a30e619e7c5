import type { Body } from "../kernel/body.ts";
import type { Call } from "../kernel/call.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Invoke } from "../kernel/invoke.ts";
import type { StoredDataKey } from "../kernel/sealed.ts";
import type { Opened, OpeningPlace, Sealer, SealingPlace } from "../kernel/sealer.ts";
import type { Soon } from "../kernel/soon.ts";
import {
  contextNames,
  contextOf,
  type DataKeySource,
  identity,
  keyOf,
} from "./data-key-sources.ts";
import type { DataKeyHolder } from "./sealer.ts";

/**
 * A sealer that has the right to each data key of SSE-KMS decided at each use, also of one that it
 * holds. DIFFERS: AWS decides again when the reuse period is over. A right that was taken away, or
 * a key that was disabled, ends with the next message then. KMS is asked, and its refusal recorded,
 * only where the answer is no; the count of its requests stays that of AWS's formula.
 *
 * `decide` carries KMS's operations out up to their dry run: it holds no audit and no quota.
 */
export function decideAlways<S extends Sealer & DataKeyHolder>(
  sealer: S,
  kms: DataKeySource,
  decide: Invoke,
): S {
  async function decided(call: Call, place: SealingPlace): Promise<void> {
    if (await maySeal(decide, call, place)) return;
    // This is refused, unless the right came back just now.
    const fresh = await kms.generate(call, place);
    fresh.plaintext.fill(0);
  }
  return {
    ...sealer,
    async seal(call: Call, place: SealingPlace, bodies: readonly Uint8Array[]) {
      await decided(call, place);
      return sealer.seal(call, place, bodies);
    },
    async sealForStore(call: Call, place: SealingPlace, bodies: readonly Body[]) {
      await decided(call, place);
      return sealer.sealForStore(call, place, bodies);
    },
    async open(call: Call, place: OpeningPlace, rows: Parameters<Sealer["open"]>[2]) {
      const refused = new Map<string, Error | undefined>();
      for (const { dataKey } of rows) {
        if (dataKey.mode !== "kms" || refused.has(dataKey.id)) continue;
        refused.set(dataKey.id, await refusalToOpen(kms, decide, call, place, dataKey));
      }
      const allowed = rows.filter(({ dataKey }) => refused.get(dataKey.id) === undefined);
      const opened = (await sealer.open(call, place, allowed)).values();
      return rows.map(({ dataKey }): Opened => {
        const error = refused.get(dataKey.id);
        return error ? { ok: false, error } : (opened.next().value ?? lost());
      });
    },
    /** Nothing can be used without a decision. */
    held: () => [],
  };
}

function lost(): never {
  throw new Error("the sealer left a body out");
}

async function maySeal(decide: Invoke, call: Call, place: SealingPlace): Promise<boolean> {
  const { encryption, region, service, arn } = place;
  if (encryption.mode !== "kms") return true;
  const as = identity(call, service);
  const input = {
    KeyId: keyOf(call, place),
    EncryptionContext: { [contextNames[service]]: arn },
    DryRun: true,
  };
  const generate = { service: "kms", operation: "GenerateDataKey", region, as };
  const asked = { ...input, KeySpec: "AES_256" };
  if (!(await passes(() => decide(call, generate, asked)))) return false;
  if (!encryption.requireDecrypt) return true;
  const decrypt = { service: "kms", operation: "Decrypt", region, as };
  const modified = { ...input, DryRunModifiers: ["IGNORE_CIPHERTEXT"] };
  return passes(() => decide(call, decrypt, modified));
}

async function refusalToOpen(
  kms: DataKeySource,
  decide: Invoke,
  call: Call,
  place: OpeningPlace,
  dataKey: StoredDataKey,
): Promise<Error | undefined> {
  const { region, blob } = dataKey;
  const target = {
    service: "kms",
    operation: "Decrypt",
    region,
    as: identity(call, place.service),
  };
  const input = { CiphertextBlob: blob, EncryptionContext: contextOf(dataKey), DryRun: true };
  try {
    if (await passes(() => decide(call, target, input))) return undefined;
    (await kms.open(call, place, dataKey)).fill(0);
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** AWS: a dry run ends in this refusal where the request would have succeeded. */
async function passes(dryRun: () => Soon<unknown>): Promise<boolean> {
  try {
    await dryRun();
  } catch (error) {
    if (error instanceof Refusal) return error.code === "DryRunOperationException";
    throw error;
  }
  throw new Error("a dry run was carried out");
}
