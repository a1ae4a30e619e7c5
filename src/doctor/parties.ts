import { decide } from "../auth/policy/index.ts";
import type { Caller } from "../kernel/caller.ts";
import type { ResourceUse } from "../kernel/operation.ts";
import type { JsonObject } from "../kernel/records.ts";
import type { Verdict } from "./hop.ts";
import type { Inquiry, Supposed } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { peopleOf, rootOf } from "./people.ts";
import { isObject, textsOf } from "./statements.ts";
import { nameOf } from "./words.ts";

/** What it takes to be a publisher of a topic or a consumer of a queue. */
export interface Part {
  /** The account whose users and roles may play it. */
  readonly accountId: string;
  /** What a player must be allowed to do to the topic or queue itself. */
  readonly action: string;
  readonly service: "sns" | "sqs";
  readonly region: string;
  readonly use: ResourceUse;
  /** Actions that only somebody who is meant to play it has. */
  readonly signs: readonly string[];
  /** Tells, where nobody plays it, who else is meant to. */
  readonly seemsMeant?: (caller: Caller) => Promise<boolean>;
  /** Whether the key behind it lets this caller; true where there is none. */
  readonly keyAllows: (caller: Caller) => Promise<boolean>;
}

export interface Player {
  readonly caller: Caller;
  /** May it do the part's action? */
  readonly verdict: Verdict;
}

/**
 * The users and roles that play a part: whoever may do the action, but for administrators, whose
 * `sqs:*` on `*` makes no consumer of every queue as long as the key keeps the bodies from them;
 * and whoever shows that it is meant to (it may delete messages, but not receive any). Where nobody
 * is left, those count who seem to be meant, then administrators, and last the account's root.
 */
export async function playersOf(inquiry: Inquiry, part: Part): Promise<readonly Player[]> {
  const players: Player[] = [];
  const administrators: Player[] = [];
  const hindered: Player[] = [];
  for (const caller of await peopleOf(inquiry.view, part.accountId, inquiry.nowMs)) {
    const verdict = await mayPlay(inquiry, part, caller);
    const player = { caller, verdict };
    if (!verdict.allowed) {
      if (await part.seemsMeant?.(caller)) hindered.push(player);
      if (!(await showsSigns(inquiry, part, caller))) continue;
      // A Deny of just this action is meant so; what no statement grants was forgotten.
      if (verdict.missing.length > 0) players.push(player);
      else hindered.push(player);
    } else if (isBlanket(verdict, part.service) && !(await part.keyAllows(caller)))
      administrators.push(player);
    else players.push(player);
  }
  const found = [players, hindered, administrators].find((list) => list.length > 0);
  if (found) return found;
  const caller = rootOf(part.accountId);
  return [{ caller, verdict: await mayPlay(inquiry, part, caller) }];
}

export async function mayPlay(inquiry: Inquiry, part: Part, caller: Caller): Promise<Verdict> {
  return judge(await inquiry.ask(supposed(part, caller, part.action), part.use));
}

async function showsSigns(inquiry: Inquiry, part: Part, caller: Caller): Promise<boolean> {
  for (const action of part.signs) {
    const request = await inquiry.ask(supposed(part, caller, action), part.use);
    if (decide(request).allowed) return true;
  }
  return false;
}

/** Whether a verdict allows by statements about this very caller or resource. */
export function isSpecific({ allowed, statements }: Verdict, caller: Caller): boolean {
  const name = nameOf(caller);
  return (
    allowed &&
    statements.some(({ statement }) => {
      if (!isObject(statement)) return false;
      const { Principal, Resource } = statement;
      if (Principal !== undefined)
        return isObject(Principal) && textsOf(Principal.AWS).includes(name);
      return textsOf(Resource).every((text) => !text.includes("*"));
    })
  );
}

function supposed({ service, region }: Part, caller: Caller, action: string): Supposed {
  return { caller, action, service, region };
}

/** Allowed only by statements about everything: every action of a service on every resource. */
function isBlanket({ statements }: Verdict, service: string): boolean {
  return statements.every(({ statement }) => isBlanketStatement(statement as JsonObject, service));
}

function isBlanketStatement(statement: JsonObject | undefined, service: string): boolean {
  if (!statement || statement.Principal !== undefined) return false;
  const ofService = textsOf(statement.Action).filter((text) =>
    text.toLowerCase().startsWith(`${service}:`),
  );
  const everyAction = ofService.every((text) => /:\*+$/.test(text));
  const everyResource = textsOf(statement.Resource).every((text) => /(^|[:/])\*+$/.test(text));
  return everyAction && everyResource;
}
