import { decide } from "../auth/policy/index.ts";
import type { Caller, ServicePrincipal } from "../kernel/caller.ts";
import type { RecordScope, RecordView } from "../kernel/records.ts";
import type { FoundKey } from "../services/kms/found.ts";
import { topicKind } from "../services/sns/topics.ts";
import { queueOf } from "../services/sqs/queue.ts";
import { queueRecords } from "../services/sqs/records.ts";
import type { DecidingStatement } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { contextNames, type KeyUse, keyOfPlace, type UsableKey, useOfKey } from "./keys.ts";
import { peopleOf, rootOf } from "./people.ts";
import { isObject, readStatements, textsOf } from "./statements.ts";
import { nameOf } from "./words.ts";

/** One way in which somebody may use a key. */
export interface KeyRight {
  readonly principal: string;
  readonly action: string;
  /** `direct`, or the service whose requests carry it: `sqs.amazonaws.com`. */
  readonly through: string;
  /** Topics and queues under whose encryption context; empty: whatever the context. */
  readonly for: readonly string[];
  readonly reason: string;
  readonly statements: readonly DecidingStatement[];
}

export interface WhoAnswer {
  readonly key: string;
  readonly aliases: readonly string[];
  readonly state: string;
  /** Why nobody can use it now; null: it can be used. */
  readonly unusable: string | null;
  readonly usedBy: readonly string[];
  readonly rights: readonly KeyRight[];
}

/** AWS: what a key of each usage can do that others could not do without it. */
const operations = {
  ENCRYPT_DECRYPT: ["Encrypt", "Decrypt", "GenerateDataKey"],
  SIGN_VERIFY: ["Sign"],
  GENERATE_VERIFY_MAC: ["GenerateMac", "VerifyMac"],
  KEY_AGREEMENT: ["DeriveSharedSecret"],
} as const;

function operationsOf({ key }: UsableKey): readonly KeyUse[] {
  const all: readonly KeyUse[] = operations[key.keyUsage];
  return isSymmetric(key) ? all : all.filter((operation) => operation !== "GenerateDataKey");
}

/** Only such keys seal for topics and queues. */
function isSymmetric({ keySpec }: UsableKey["key"]): boolean {
  return keySpec === "SYMMETRIC_DEFAULT";
}

/** Who may use a key for cryptography: people of its account, root, and services that it names. */
export async function whoMayUse(inquiry: Inquiry, key: UsableKey): Promise<WhoAnswer> {
  const { view, nowMs } = inquiry;
  const { accountId } = key.key;
  const places = await placesWithKey(view, key);
  const rights: KeyRight[] = [];
  for (const caller of [rootOf(accountId), ...(await peopleOf(view, accountId, nowMs))]) {
    rights.push(...(await rightsOf(inquiry, key, places, caller)));
  }
  for (const service of servicesNamed(key)) {
    rights.push(...(await rightsOfService(inquiry, key, places, service)));
  }
  return {
    key: key.arn,
    aliases: key.key.aliases,
    state: key.key.state,
    unusable: key.unusable ?? null,
    usedBy: places.map(({ arn }) => arn),
    rights,
  };
}

interface Place {
  readonly service: "sns" | "sqs";
  readonly arn: string;
}

/** What one person may do with a key. */
export async function rightsOfPerson(
  inquiry: Inquiry,
  key: UsableKey,
  caller: Caller,
): Promise<readonly KeyRight[]> {
  return rightsOf(inquiry, key, await placesWithKey(inquiry.view, key), caller);
}

async function rightsOf(
  inquiry: Inquiry,
  key: UsableKey,
  places: readonly Place[],
  caller: Caller,
): Promise<readonly KeyRight[]> {
  const found: KeyRight[] = [];
  for (const operation of operationsOf(key)) {
    const direct = await right(inquiry, key, caller, operation, "direct", []);
    if (direct) found.push(direct);
    if (operation === "Encrypt" || !isSymmetric(key.key)) continue;
    for (const service of ["sns", "sqs"] as const) {
      const ofService = places.filter((place) => place.service === service);
      const via: ServicePrincipal = `${service}.amazonaws.com`;
      const through = await right(inquiry, key, caller, operation, via, ofService);
      if (through) found.push(through);
    }
  }
  return found;
}

/**
 * Services use keys for topics and queues: as SNS does to deliver, or an event source to publish.
 */
async function rightsOfService(
  inquiry: Inquiry,
  key: UsableKey,
  places: readonly Place[],
  service: ServicePrincipal,
): Promise<readonly KeyRight[]> {
  const { accountId, region } = key.key;
  const topics = await topicKind.list(inquiry.view, { accountId, region });
  const known = service === "sns.amazonaws.com" ? topics.map(({ value }) => value.arn) : [];
  const sourceArn = known[0] ?? `arn:aws:${service.split(".")[0]}:${region}:${accountId}:doctor`;
  const found: KeyRight[] = [];
  for (const operation of operationsOf(key)) {
    for (const arn of known.length > 0 ? known : [sourceArn]) {
      const caller = {
        kind: "service",
        service,
        sourceArn: arn,
        sourceAccountId: accountId,
      } as const;
      const one = await right(inquiry, key, caller, operation, "direct", places);
      if (!one) continue;
      found.push({ ...one, reason: `${one.reason} (for ${arn})` });
      break;
    }
  }
  return found;
}

/** The right, if any context gives it; contexts are those of topics and queues with this key. */
async function right(
  inquiry: Inquiry,
  key: UsableKey,
  caller: Caller,
  operation: KeyUse,
  through: "direct" | ServicePrincipal,
  places: readonly Place[],
): Promise<KeyRight | undefined> {
  const contexts = places.length > 0 ? places : [undefined];
  const allowed: { place: Place | undefined; answer: ReturnType<typeof judge> }[] = [];
  for (const place of contexts) {
    const encryptionContext = place ? { [contextNames[place.service]]: place.arn } : {};
    const supposed = {
      caller,
      action: `kms:${operation}`,
      service: "kms",
      region: key.key.region,
      ...(through !== "direct" && { via: through }),
    };
    const use = useOfKey(named(key, through), operation, encryptionContext);
    const request = await inquiry.ask(supposed, use);
    if (decide(request).allowed) allowed.push({ place, answer: judge(request) });
  }
  const [first] = allowed;
  if (!first) return undefined;
  const everywhere = allowed.length === contexts.length;
  return {
    principal: nameOf(caller),
    action: `kms:${operation}`,
    through,
    for: everywhere ? [] : allowed.flatMap(({ place }) => (place ? [place.arn] : [])),
    reason: first.answer.reason,
    statements: first.answer.statements,
  };
}

/** A direct request may name the key as it likes; here by its ARN. */
function named(key: UsableKey, through: string): FoundKey {
  return through === "direct" ? { ...key, requestAlias: undefined } : key;
}

/** Topics and queues of the key's account and region that are sealed with it. */
async function placesWithKey(view: RecordView, key: UsableKey): Promise<readonly Place[]> {
  const scope: RecordScope = { accountId: key.key.accountId, region: key.key.region };
  const found: Place[] = [];
  const add = async (service: "sns" | "sqs", arn: string, keyId: string | undefined) => {
    const placed = keyId ? await keyOfPlace(view, scope, keyId) : undefined;
    if (placed?.found && placed.arn === key.arn) found.push({ service, arn });
  };
  for (const { value } of await topicKind.list(view, scope)) {
    await add("sns", value.arn, value.attributes.KmsMasterKeyId);
  }
  for (const { id, value } of await queueRecords.list(view, scope)) {
    await add("sqs", queueOf(value, scope, id).arn, value.attributes.KmsMasterKeyId);
  }
  return found;
}

function servicesNamed({ key }: UsableKey): readonly ServicePrincipal[] {
  const statements = readStatements(key.policy)?.statements ?? [];
  const names = statements.flatMap(({ Principal }) =>
    isObject(Principal) ? textsOf(Principal.Service) : [],
  );
  const principals = names.filter((name): name is ServicePrincipal =>
    name.endsWith(".amazonaws.com"),
  );
  return [...new Set(principals)];
}
