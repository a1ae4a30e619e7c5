import type { DenialLog } from "../doctor/denial-log.ts";
import { deedsOf, type Period } from "../doctor/did.ts";
import { explain } from "../doctor/explain.ts";
import type { Inquiry } from "../doctor/inquiry.ts";
import { keyOfPlace } from "../doctor/keys.ts";
import { pathOf } from "../doctor/path.ts";
import { personOf } from "../doctor/people.ts";
import { type HeldKey, revoked } from "../doctor/revoke.ts";
import { sourcesOf } from "../doctor/sources.ts";
import { type FoundTopic, findTopicByArn } from "../doctor/topic.ts";
import { unopenableMessages } from "../doctor/unopenable.ts";
import { whoMayUse } from "../doctor/who.ts";
import { whoAtPlace } from "../doctor/who-place.ts";
import type { AdminAction, AdminRoute } from "../gateway/admin.ts";
import { parseArn } from "../kernel/arn.ts";
import type { Caller } from "../kernel/caller.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Query, ResultOf } from "../kernel/command.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";

export interface DoctorRoutesOptions {
  readonly inquiry: () => Inquiry;
  readonly denials: DenialLog;
  /** Whether sending to a queue also needs kms:Decrypt. */
  readonly requireDecryptToSend: boolean;
  /** The event history, and what is asked of the store besides. */
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
  /** Data keys in the caches of this server. */
  readonly held: (nowMs: EpochMs) => readonly HeldKey[];
  /** Where nobody says another. */
  readonly region: string;
}

const explainedMax = 20;

/** `GET /_sealpost/doctor/…`: who may do what, and why something was denied. Changes nothing. */
export function doctorRoutes(options: DoctorRoutesOptions): AdminRoute[] {
  const { inquiry, ask, denials, requireDecryptToSend } = options;
  return [
    route("path", "sealpost:DoctorPath", ["topic", "publisher", "consumer"], async (query) => {
      const asked = inquiry();
      const found = await requireTopic(asked, query);
      const publisher = await personIn(asked, query, "publisher", found);
      const consumer = await personIn(asked, query, "consumer", found);
      return pathOf(asked, found, { publisher, consumer, requireDecryptToSend });
    }),
    route("sources", "sealpost:DoctorSources", ["topic", "source"], async (query) => {
      const asked = inquiry();
      const answer = await sourcesOf(asked, await requireTopic(asked, query), query.source);
      if (answer.sources.length > 0) return answer;
      throw invalid(`${query.source} is no event source; without \`source\` all are listed`);
    }),
    route("explain", "sealpost:DoctorExplain", ["requestId"], async ({ requestId }) => {
      const found = requestId === undefined ? denials.latest(explainedMax) : denials.of(requestId);
      if (requestId !== undefined && found.length === 0) {
        throw notFound(
          `no denial of request ${requestId} is remembered: the log holds the latest ones since ` +
            "the server's start",
        );
      }
      const { view } = inquiry();
      return { denials: await Promise.all(found.map((denial) => explain(view, denial))) };
    }),
    route("unopenable", "sealpost:DoctorUnopenable", [], async () => {
      const { view } = inquiry();
      return { unopenable: await unopenableMessages({ view, query: ask }) };
    }),
    route("who", "sealpost:DoctorWho", ["key", "topic", "queue", ...periodNames], (query) =>
      who(options, query),
    ),
    route("revoke", "sealpost:DoctorRevoke", ["principal", "region"], async (query) => {
      const asked = inquiry();
      const name = required(query, "principal");
      const caller = await personOf(asked.view, name, asked.nowMs, { arn: "", accountId: "" });
      if (!caller) throw notFound(`there is no ${name}: ${principalForms}`);
      const held = options.held(asked.nowMs);
      return revoked(asked, query.region ?? options.region, caller, held);
    }),
  ];
}

const principalForms =
  "a principal is the ARN of a user, a role, a session of one or an account's root, or a service " +
  "such as s3.amazonaws.com";

const periodNames = ["since", "until"] as const;
const dayMs = 86_400_000;

/** Who could do something to a topic, queue or key now, and who did in a period. */
async function who({ inquiry, ask }: DoctorRoutesOptions, query: Parameters): Promise<object> {
  const asked = inquiry();
  const given = (["key", "topic", "queue"] as const).filter((name) => query[name] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) throw invalid("give one of `topic`, `queue`, `key`");
  const name = required(query, kind);
  const period = periodOf(query, asked.nowMs);
  if (kind !== "key") {
    const service = kind === "topic" ? "sns" : "sqs";
    const found = parseArn(name)?.service === service ? await whoAtPlace(asked, name) : undefined;
    if (!found) throw notFound(`there is no ${kind} ${name}`);
    return { ...found, deeds: await deedsOf(ask, name, found.key, period) };
  }
  const arn = parseArn(name);
  if (arn?.service !== "kms") throw invalid("key must be a key ARN or alias ARN");
  const key = await keyOfPlace(asked.view, arn, name);
  if (!key.found) throw notFound(key.reason);
  const answer = await whoMayUse(asked, key);
  return { ...answer, deeds: await deedsOf(ask, key.arn, null, period) };
}

function periodOf(query: Parameters, nowMs: EpochMs): Period {
  const [sinceMs, untilMs] = periodNames.map((name) => {
    const text = query[name];
    if (text === undefined) return undefined;
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) throw invalid(`\`${name}\` must be a time such as 2026-01-31T00:00:00Z`);
    return ms;
  });
  const period = { sinceMs: sinceMs ?? nowMs - dayMs, untilMs: untilMs ?? nowMs };
  if (period.sinceMs <= period.untilMs) return period;
  throw invalid("`since` must be before `until`");
}

type Parameters = Readonly<Record<string, string>>;

/** A route whose parameters are known by name; an unknown one is a slip that must not pass. */
function route(
  name: string,
  action: AdminAction,
  parameters: readonly string[],
  answer: (query: Parameters) => Promise<object>,
): AdminRoute {
  return {
    method: "GET",
    path: `/_sealpost/doctor/${name}`,
    action,
    async handle(_input, given) {
      const query = readQuery(given, parameters);
      // What doctor answers is plain data, with absent members left out as JSON does.
      return { json: (await answer(query)) as Json };
    },
  };
}

/** Throws InvalidRequest for a parameter that is unknown, empty or given twice. */
export function readQuery(given: URLSearchParams, parameters: readonly string[]): Parameters {
  const query: Record<string, string> = {};
  for (const [name, value] of given) {
    if (!parameters.includes(name)) {
      throw invalid(`there is no parameter \`${name}\`; there are: ${parameters.join(", ")}`);
    }
    if (value === "" || Object.hasOwn(query, name)) throw invalid(`give \`${name}\` once`);
    query[name] = value;
  }
  return query;
}

function required(query: Parameters, name: string): string {
  const value = query[name];
  if (value === undefined) throw invalid(`the parameter \`${name}\` is missing`);
  return value;
}

async function requireTopic({ view }: Inquiry, query: Parameters): Promise<FoundTopic> {
  const arn = required(query, "topic");
  const found = await findTopicByArn(view, arn);
  if (!found) throw notFound(`there is no topic ${arn}`);
  return found;
}

async function personIn(
  { view, nowMs }: Inquiry,
  query: Parameters,
  name: "publisher" | "consumer",
  { topic }: FoundTopic,
): Promise<Caller | undefined> {
  const given = query[name];
  if (given === undefined) return undefined;
  const source = { arn: topic.arn, accountId: topic.accountId };
  const person = await personOf(view, given, nowMs, source);
  if (person) return person;
  throw notFound(
    `there is no ${given}: a ${name} is the ARN of a user, a role or an account's root, or a ` +
      "service such as s3.amazonaws.com",
  );
}

function invalid(message: string): Refusal {
  return new Refusal("InvalidRequest", message, { status: 400 });
}

function notFound(message: string): Refusal {
  return new Refusal("NotFound", message, { status: 404 });
}
