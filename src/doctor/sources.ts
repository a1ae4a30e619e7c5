import type { Caller, ServiceCaller } from "../kernel/caller.ts";
import type { JsonObject } from "../kernel/records.ts";
import { type Hop, hopsOf, type Missing } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { type KeyedPlace, keyedPlace, keyHops } from "./key-hops.ts";
import { rolesOf } from "./people.ts";
import { roleTrusts } from "./role-trust.ts";
import { sourceCandidates } from "./source-candidates.ts";
import { type EventSource, eventSources } from "./source-list.ts";
import { textsOf } from "./statements.ts";
import { type FoundTopic, useFor } from "./topic.ts";
import { nameOf } from "./words.ts";

/** Whether an AWS event source could publish to a topic with its key. */
export interface SourceAnswer {
  readonly source: string;
  readonly principal: string;
  readonly needs: "service" | "role";
  readonly allowed: boolean;
  readonly reason: string;
  /** Who would publish: the service for this source, or a role. */
  readonly as: string;
  readonly hops: readonly Hop[];
  /** All must be added; empty: allowed, or no statement can help. */
  readonly missing: readonly Missing[];
}

export interface SourcesAnswer {
  readonly allowed: boolean;
  readonly topic: string;
  /** ARN; null: the topic has no key of KMS. */
  readonly key: string | null;
  readonly sources: readonly SourceAnswer[];
}

/** `only`: a service principal or a name as listed. */
export async function sourcesOf(
  inquiry: Inquiry,
  found: FoundTopic,
  only?: string,
): Promise<SourcesAnswer> {
  const { topic } = found;
  const { accountId, region, arn } = topic;
  const scope = { accountId, region, service: "sns", arn } as const;
  const place = await keyedPlace(inquiry, scope, topic.attributes.KmsMasterKeyId);
  const sources: SourceAnswer[] = [];
  for (const source of eventSources) {
    if (only !== undefined && only !== source.service && only !== source.name) continue;
    const answer = source.needs === "service" ? byService : byRole;
    sources.push(await answer(inquiry, found, place, source));
  }
  const allowed = sources.every((one) => one.allowed);
  return { allowed, topic: arn, key: place?.key.arn ?? null, sources };
}

/**
 * A service that calls for itself. Policies may admit it for one source only, so the sources that
 * they name are tried; the best one is the answer.
 */
async function byService(
  inquiry: Inquiry,
  found: FoundTopic,
  place: KeyedPlace | undefined,
  source: EventSource,
): Promise<SourceAnswer> {
  const tried: Tried[] = [];
  for (const candidate of sourceCandidates(found.topic, place, source.service)) {
    const caller: ServiceCaller = { kind: "service", service: source.service, ...candidate };
    tried.push({ as: caller, hops: await publishHops(inquiry, found, place, caller, source) });
  }
  const { as, hops } = bestOf(tried);
  const name = as.kind === "service" ? `${source.service} for ${as.sourceArn}` : source.service;
  return answerOf(source, name, hops);
}

interface Tried {
  readonly as: Caller;
  readonly hops: readonly Hop[];
}

function bestOf(tried: readonly Tried[]): Tried {
  const denied = ({ hops }: Tried) => hops.filter(({ allowed }) => !allowed).length;
  return tried.reduce((best, one) => (denied(one) < denied(best) ? one : best));
}

async function publishHops(
  inquiry: Inquiry,
  found: FoundTopic,
  place: KeyedPlace | undefined,
  caller: Caller,
  { keySource }: EventSource,
): Promise<readonly Hop[]> {
  const { arn, region } = found.topic;
  const from = nameOf(caller);
  const supposed = { caller, action: "sns:Publish", service: "sns", region };
  const request = await inquiry.ask(supposed, useFor(found, caller));
  const step = { from, to: arn, action: "sns:Publish", resource: arn };
  // Which bucket or alarm it will be is not known here; whose it is, is.
  const hops = [...hopsOf(step, judge(request, { narrowBy: "source-account" }))];
  if (!place) return hops;
  const options = { narrowBy: keySource };
  for (const operation of ["GenerateDataKey", "Decrypt"] as const) {
    hops.push(...(await keyHops(inquiry, place, operation, { caller, from }, options)));
  }
  return hops;
}

/** A service that acts with a role: one that trusts it, may publish, and may use the key. */
async function byRole(
  inquiry: Inquiry,
  found: FoundTopic,
  place: KeyedPlace | undefined,
  source: EventSource,
): Promise<SourceAnswer> {
  const tried: Tried[] = [];
  for (const { role, caller } of await rolesOf(
    inquiry.view,
    found.topic.accountId,
    inquiry.nowMs,
  )) {
    if (!roleTrusts(role, source.service)) continue;
    tried.push({ as: caller, hops: await publishHops(inquiry, found, place, caller, source) });
  }
  if (tried.length > 0) {
    const { as, hops } = bestOf(tried);
    return answerOf(source, nameOf(as), hops);
  }
  const { accountId } = found.topic;
  const role = `arn:aws:iam::${accountId}:role/ROLE-OF-${source.service.split(".")[0]}`;
  const reason =
    `${source.name} publishes with an IAM role, not as ${source.service}: there is no role in ` +
    `account ${accountId} that trusts ${source.service}. Make one, let it publish and use the key`;
  return {
    ...{ source: source.name, principal: source.service, needs: source.needs },
    ...{ allowed: false, reason, as: role, hops: [] },
    missing: roleStatements(found, place, role),
  };
}

/** What a role that is still to be made needs, in its own policy. */
function roleStatements(
  { topic }: FoundTopic,
  place: KeyedPlace | undefined,
  role: string,
): readonly Missing[] {
  const attachTo = `identity policy of ${role}`;
  const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topic.arn };
  const missing: Missing[] = [{ attachTo, statement: publish }];
  if (!place?.key.found || place.key.managed) return missing;
  const Condition = { StringEquals: { "kms:ViaService": `sns.${topic.region}.amazonaws.com` } };
  const useKey = {
    Effect: "Allow",
    Principal: { AWS: role },
    Action: keyActions,
    Resource: "*",
    Condition,
  };
  missing.push({ attachTo: `key policy of ${place.key.arn}`, statement: useKey });
  return missing;
}

/** As the documents of SNS write it. */
const keyActions = ["kms:GenerateDataKey*", "kms:Decrypt"];

function answerOf(source: EventSource, as: string, hops: readonly Hop[]): SourceAnswer {
  const denied = hops.filter(({ allowed }) => !allowed);
  const allowed = denied.length === 0;
  const reasons = [...new Set(denied.map(({ reason }) => reason))];
  return {
    source: source.name,
    principal: source.service,
    needs: source.needs,
    allowed,
    reason: allowed ? `${as} may publish` : [...reasons, ...knownTraps(source, denied)].join("; "),
    as,
    hops,
    missing: merged(denied.flatMap(({ missing }) => missing ?? [])),
  };
}

function knownTraps({ service }: EventSource, denied: readonly Hop[]): readonly string[] {
  const onKey = denied.some(({ action }) => action.startsWith("kms:"));
  if (service !== "events.amazonaws.com" || !onKey) return [];
  return [
    "EventBridge sends neither aws:SourceArn nor aws:SourceAccount when it uses the key: its " +
      "statement in the key policy must have no condition on them",
  ];
}

/** Both uses of the key in one statement, as the documents of SNS write it. */
function merged(missing: readonly Missing[]): readonly Missing[] {
  const places = new Map<string, Missing[]>();
  for (const one of missing) {
    const { Action: _, ...rest } = one.statement;
    const place = JSON.stringify([one.attachTo, rest]);
    places.set(place, [...(places.get(place) ?? []), one]);
  }
  return [...places.values()].map((list) => {
    const [first, second] = list;
    if (!first || !second) return list[0] as Missing;
    const actions = list.flatMap(({ statement }) => textsOf(statement.Action));
    const Action = actions.map((name) => (name === "kms:GenerateDataKey" ? `${name}*` : name));
    const statement: JsonObject = { ...first.statement, Action };
    return { ...first, statement };
  });
}
