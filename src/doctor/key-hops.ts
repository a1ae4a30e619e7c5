import { type DecisionRequest, decide } from "../auth/policy/index.ts";
import type { Caller, ServicePrincipal } from "../kernel/caller.ts";
import type { RecordScope } from "../kernel/records.ts";
import { type Hop, hopsOf, plainHop, type Step, type Verdict } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { contextNames, keyOfPlace, type PlacedKey, useOfKey } from "./keys.ts";
import type { PrescribeOptions } from "./prescribe.ts";

/** A topic or queue with SSE-KMS, and its key. */
export interface KeyedPlace extends RecordScope {
  readonly service: "sns" | "sqs";
  readonly arn: string;
  readonly key: PlacedKey;
}

export type KeyOperation = "GenerateDataKey" | "Decrypt";

/** undefined: bodies there are sealed without a key of KMS, so nobody needs a right to one. */
export async function keyedPlace(
  { view }: Inquiry,
  place: RecordScope & { readonly service: "sns" | "sqs"; readonly arn: string },
  keyId: string | undefined,
): Promise<KeyedPlace | undefined> {
  if (!keyId) return undefined;
  const { accountId, region, service, arn } = place;
  return { accountId, region, service, arn, key: await keyOfPlace(view, place, keyId) };
}

/**
 * The use of a place's key by a person through the place's service, or by a service for itself.
 * `for` names the place, since one key may serve many.
 */
export async function keyHops(
  inquiry: Inquiry,
  place: KeyedPlace,
  operation: KeyOperation,
  who: { readonly caller: Caller; readonly from: string },
  options: PrescribeOptions = {},
): Promise<readonly Hop[]> {
  const { key } = place;
  const action = `kms:${operation}`;
  const step: Step = { from: who.from, to: key.arn, action, resource: key.arn };
  if (!key.found) return [plainHop(step, false, `${forPlace(place)}: ${key.reason}`)];
  const verdict = await keyVerdict(inquiry, place, operation, who.caller, options);
  return hopsOf(step, { ...verdict, reason: `${forPlace(place)}: ${verdict.reason}` });
}

async function keyVerdict(
  inquiry: Inquiry,
  place: KeyedPlace,
  operation: KeyOperation,
  caller: Caller,
  options: PrescribeOptions,
): Promise<Verdict> {
  const { key } = place;
  if (!key.found) throw new Error("a key that is not there has no verdict");
  const request = await keyQuestion(inquiry, place, operation, caller);
  const verdict = judge(request, { ...options, fixedKeyPolicy: key.managed });
  if (key.unusable !== undefined) {
    const also = verdict.allowed ? "" : `; and then: ${verdict.reason}`;
    return { ...verdict, allowed: false, reason: `${key.unusable}${also}`, missing: [] };
  }
  if (verdict.allowed || !key.managed) return verdict;
  return { ...verdict, reason: `${verdict.reason}; ${managedTrap(place, caller)}` };
}

/** What the KMS would be asked, with the encryption context of the place. */
export async function keyQuestion(
  inquiry: Inquiry,
  { key, service, region, arn }: KeyedPlace,
  operation: KeyOperation,
  caller: Caller,
): Promise<DecisionRequest> {
  if (!key.found) throw new Error("a key that is not there cannot be asked about");
  const via: ServicePrincipal = `${service}.amazonaws.com`;
  const supposed = { caller, action: `kms:${operation}`, service: "kms", region };
  const identity = caller.kind === "service" ? supposed : { ...supposed, via };
  const use = useOfKey(key, operation, { [contextNames[service]]: arn });
  return inquiry.ask(identity, use);
}

/** Whether the key, in the state that it is in, lets a caller do an operation. */
export async function keyAllows(
  inquiry: Inquiry,
  place: KeyedPlace | undefined,
  operation: KeyOperation,
  caller: Caller,
): Promise<boolean> {
  if (!place) return true;
  if (!place.key.found) return false;
  return decide(await keyQuestion(inquiry, place, operation, caller)).allowed;
}

function forPlace({ arn }: KeyedPlace): string {
  return `for ${arn}`;
}

function managedTrap({ key, service }: KeyedPlace, caller: Caller): string {
  const alias = (key.found && key.key.aliases[0]) || `alias/aws/${service}`;
  const who =
    caller.kind === "service"
      ? "never another service"
      : "only through its own service, for principals of its own account";
  return (
    `${alias} is a key of AWS, whose policy nobody can change: it can serve ${who}. Use a ` +
    "customer managed key"
  );
}
