import type { Call } from "../kernel/call.ts";
import { type Caller, requesterId } from "../kernel/caller.ts";
import type { StoredDataKey } from "../kernel/sealed.ts";
import type { SealingPlace } from "../kernel/sealer.ts";

interface Named {
  readonly caller: Caller;
  readonly endpointId: string | undefined;
  readonly name: string;
}

/** The latest name of each place. */
const names = new WeakMap<SealingPlace, Named>();

/** By what a data key to seal with is known: resource, KMS key and requester. */
export function sealingName(call: Call, place: SealingPlace): string {
  const { caller } = call;
  const endpointId = call.transport.endpoint?.endpointId;
  const latest = names.get(place);
  if (latest?.caller === caller && latest.endpointId === endpointId) return latest.name;
  const { arn, encryption } = place;
  const name =
    encryption.mode === "kms"
      ? `${arn} ${encryption.keyId} ${requesterOf(call)}`
      : `${arn} ${encryption.mode}`;
  names.set(place, { caller, endpointId, name });
  return name;
}

/** By what a data key to open with is known: itself, and of SSE-KMS the requester. */
export function openingName(call: Call, { id, mode }: StoredDataKey): string {
  return mode === "kms" ? `${id} ${requesterOf(call)}` : id;
}

export function requesterOf({ caller, transport }: Call): string {
  return requesterId(caller, transport.endpoint?.endpointId);
}
