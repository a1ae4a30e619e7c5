import type { Json } from "../kernel/json.ts";
import type { AttachedPolicy } from "../kernel/policy.ts";
import type { TopicRecord } from "../services/sns/topics.ts";
import type { KeyedPlace } from "./key-hops.ts";
import { supposedSourceArn } from "./people.ts";
import { isObject, readStatements, textsOf } from "./statements.ts";

export interface SourceCandidate {
  readonly sourceArn: string;
  readonly sourceAccountId: string;
}

/**
 * Sources that a service may act for, as the policies of topic and key name them in conditions,
 * after one that is made up (never more than a few).
 */
export function sourceCandidates(
  topic: Readonly<TopicRecord>,
  place: KeyedPlace | undefined,
  service: string,
): readonly SourceCandidate[] {
  const { accountId, region, policy } = topic;
  const policies = [policy, ...(place?.key.found ? [place.key.key.policy] : [])];
  const named = (key: string) => policies.flatMap((one) => conditionValues(one, key));
  const prefix = `arn:aws:${arnNames[service] ?? service.replace(/\.amazonaws\.com$/, "")}:`;
  const arns = named("aws:sourcearn").filter((value) => value.startsWith(prefix));
  const accountIds = named("aws:sourceaccount").filter((value) => /^\d{12}$/.test(value));
  const sourceArns = new Set([supposedSourceArn(service, region, accountId), ...arns.map(sample)]);
  return [...sourceArns].flatMap((sourceArn) =>
    [...new Set([accountId, ...accountIds])].map((sourceAccountId) => ({
      sourceArn,
      sourceAccountId,
    })),
  );
}

/** Where the name in ARNs is not that of the principal. */
const arnNames: Readonly<Record<string, string>> = {
  "importexport.amazonaws.com": "snowball",
};

/** An ARN that a pattern matches. */
function sample(pattern: string): string {
  return pattern.replace(/[*?]+/g, "x");
}

const valuesMax = 20;

function conditionValues(policy: AttachedPolicy, wanted: string): readonly string[] {
  const statements = readStatements(policy)?.statements ?? [];
  const clauses = statements.flatMap(({ Condition }) => members(Condition));
  const values = clauses.flatMap(([, keys]) => members(keys));
  return values
    .filter(([key]) => key.toLowerCase() === wanted)
    .flatMap(([, value]) => textsOf(value))
    .slice(0, valuesMax);
}

function members(value: Json | undefined): readonly [string, Json][] {
  return isObject(value) ? Object.entries(value) : [];
}
