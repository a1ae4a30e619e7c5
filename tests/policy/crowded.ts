import type { DecisionRequest, PolicyKind } from "../../src/auth/policy/index.ts";
import type { NamedPolicy } from "../../src/kernel/policy.ts";
import { attach, context, principal, type Raw } from "./generate.ts";
import type { Dice } from "./random.ts";
import { abroad, callers, home, ids } from "./world.ts";

/** Policies with many statements, of which few are about what is asked. */

const names = ["orders", "orders-1", "orders-12", "ord", "records", "o*", "billing/north", "a:b"];
const regions = ["us-east-1", "eu-west-1", ""];
const services = ["sqs", "sns", "kms", "iam"];

function arn(dice: Dice): string {
  const [service, region] = [dice.pick(services), dice.pick(regions)];
  return `arn:aws:${service}:${region}:${dice.pick([home, abroad])}:${dice.pick(names)}`;
}

/** A pattern with wildcards in any of its parts, at their begin, in their midst and at their end. */
function pattern(dice: Dice): string {
  if (dice.chance(3)) return "*";
  const parts = arn(dice).split(":");
  for (let at = 3; at < 6; at++) parts[at] = varied(dice, parts[at] ?? "", at > 4);
  return parts.join(":");
}

function varied(dice: Dice, text: string, last: boolean): string {
  const cut = dice.below(text.length + 1);
  const [before, after] = [text.slice(0, cut), text.slice(cut)];
  const ways = [
    "*",
    `${before}*`,
    `*${after}`,
    `${before}*${after}`,
    `${before}?${after.slice(1)}`,
  ];
  if (dice.chance(last ? 50 : 20)) return dice.pick(ways);
  if (!last || dice.chance(85)) return text;
  const variable = dice.pick(["aws:PrincipalTag/team", "aws:PrincipalTag/team, 'ord'", "*", "?"]);
  return dice.pick([`$\{${variable}}`, `${before}$\{${variable}}`, `$\{${variable}}${after}*`]);
}

const actions = ["sqs:SendMessage", "sqs:*", "*", "sqs:Send*", "sqs:ReceiveMessage", "sns:*"];

function statement(dice: Dice, kind: PolicyKind): Raw {
  const made: Raw = { Effect: dice.chance(4) ? "Deny" : "Allow" };
  if (["resource", "key", "trust", "endpoint"].includes(kind)) {
    const negated = kind !== "trust" && dice.chance(5);
    made[negated ? "NotPrincipal" : "Principal"] = principal(dice, kind);
  }
  made[dice.chance(5) ? "NotAction" : "Action"] = dice.oneOrMore(actions);
  if (kind !== "trust" && !(kind === "key" && dice.chance(3))) {
    const texts = Array.from({ length: 1 + dice.below(3) }, () => pattern(dice));
    made[dice.chance(3) ? "NotResource" : "Resource"] = dice.chance(50) ? texts[0] : texts;
  }
  if (dice.chance(20)) made.Condition = { StringLike: { "aws:PrincipalTag/team": "o*" } };
  return made;
}

export function crowdedPolicy(dice: Dice, kind: PolicyKind, statementsMax: number): NamedPolicy {
  const Statement = Array.from({ length: 1 + dice.below(statementsMax) }, () =>
    statement(dice, kind),
  );
  const Version = dice.chance(85) ? "2012-10-17" : "2008-10-17";
  const known = Object.entries(ids).filter(() => dice.chance(90));
  const policy = attach({ Version, Statement }, Object.fromEntries(known));
  // One in fifty is no policy at all, and denies.
  return { name: "crowded", policy: dice.chance(98) ? policy : { ...policy, text: "{}" } };
}

/** Many policies of one statement, a few of many, and requests about what they speak of. */
export function* crowdedScenario(dice: Dice, requests: number): Generator<DecisionRequest> {
  const list = (most: number, statementsMax: number) =>
    Array.from({ length: dice.below(most + 1) }, (_, index) => ({
      ...crowdedPolicy(dice, "identity", statementsMax),
      name: `p${index}`,
    }));
  const policyKind = dice.pick(["resource", "key", "trust"] as const);
  const fixed = {
    identity: dice.chance(70) ? list(40, 2) : list(3, 30),
    boundary: dice.chance(20) ? crowdedPolicy(dice, "boundary", 30) : undefined,
    session: dice.chance(20) ? list(12, 2) : undefined,
    endpoint: dice.chance(20) ? crowdedPolicy(dice, "endpoint", 30) : undefined,
    resourcePolicy: dice.chance(60) ? crowdedPolicy(dice, policyKind, 30).policy : undefined,
    policyKind,
  };
  for (let count = 0; count < requests; count++) yield { ...fixed, ...question(dice) };
}

/** A request without policies. */
export function question(dice: Dice): DecisionRequest {
  return {
    caller: dice.pick(Object.values(callers)),
    action: dice.pick(["sqs:SendMessage", "sqs:ReceiveMessage", "sns:Publish"]),
    resource: dice.chance(5) ? "*" : arn(dice),
    resourceAccountId: dice.pick([home, abroad]),
    service: "test",
    context: context(dice),
    identity: [],
  };
}
