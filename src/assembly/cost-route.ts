import { awsPrices, type Prices } from "../costs/formula.ts";
import { monthOf, type Period, periodSeconds, periodUpTo } from "../costs/period.ts";
import { type KeyedPlace, placeOfQueue, placeOfTopic, placesIn } from "../costs/places.ts";
import { costsOf, keyCosts, type PlaceCosts, placeCosts } from "../costs/report.ts";
import { type KmsUse, kmsUses } from "../costs/uses.ts";
import type { Inquiry } from "../doctor/inquiry.ts";
import { keyOfPlace } from "../doctor/keys.ts";
import type { AdminRoute } from "../gateway/admin.ts";
import { parseArn } from "../kernel/arn.ts";
import type { Store } from "../kernel/command.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import type { RecordScope } from "../kernel/records.ts";
import type { ListChainHeads, LookupAuditEvents } from "../services/cloudtrail/store.ts";
import { readQuery } from "./doctor-routes.ts";

export interface CostRouteOptions {
  readonly inquiry: () => Inquiry;
  readonly store: Pick<Store, "query">;
  /** The operator account: what is looked at where nothing is named. */
  readonly accountId: string;
  readonly requireDecryptToSend: boolean;
}

const daySeconds = 86_400;
/** AWS: the example in its guide. */
const periodSecondsPreset = 31 * daySeconds;
const periodSecondsMax = 3660 * daySeconds;

const parameters = ["topic", "queue", "key", "seconds", "month", "requestPrice", "keyPrice"];

/**
 * `GET /_sealpost/cost[?topic=ARN|queue=ARN|key=ARN][&seconds=N|month=2026-01]`: how often KMS is
 * asked by AWS's formulas, and how often it was, by the audit.
 */
export function costRoute(options: CostRouteOptions): AdminRoute {
  return {
    method: "GET",
    path: "/_sealpost/cost",
    action: "sealpost:Cost",
    async handle(_input, given) {
      const query = readQuery(given, parameters);
      const inquiry = options.inquiry();
      const period = periodOf(query, inquiry.nowMs);
      const unitPrices = pricesOf(query);
      const subject = await subjectOf(options, inquiry, query);
      const uses = await kmsUses((lookup) => options.store.query<LookupAuditEvents>(lookup), {
        scopes: subject.scopes,
        period,
        key: query.key === undefined ? undefined : subject.keys[0]?.arn,
      });
      const { requireDecryptToSend } = options;
      const report = { inquiry, period, unitPrices, requireDecryptToSend };
      const resources: PlaceCosts[] = [];
      for (const place of subject.places) resources.push(await placeCosts(report, place, uses));
      const keys = subject.keys.map((key) => keyCosts(report, key, resources, uses));
      const predicted = resources.reduce((sum, each) => sum + each.predictedRequests, 0);
      const arns = new Set(subject.places.map(({ arn }) => arn));
      const shown = (use: KmsUse) => subject.whole || arns.has(use.place ?? "");
      const answer = {
        period: {
          from: new Date(period.fromMs).toISOString(),
          to: new Date(period.toMs).toISOString(),
          seconds: periodSeconds(period),
        },
        unitPrices,
        ...costsOf(report, predicted, uses.filter(shown)),
        keyPrice: keys.reduce((sum, each) => sum + each.keyPrice, 0),
        resources,
        keys,
        notes,
      };
      // Plain data, with absent members left out as JSON does.
      return { json: answer as unknown as Json };
    },
  };
}

const notes = [
  "counted are the requests in the audit; what its retention removed is not in it",
  "a queue with a backlog costs one more Decrypt for each older data key, consumer and reuse period",
  "sessions of a role are shown as one; those with another session policy have data keys of their own",
  "each server process has data keys of its own: with N processes on one store, up to N times as many",
];

interface Subject {
  readonly places: readonly KeyedPlace[];
  readonly keys: readonly { readonly arn: string; readonly customer: boolean }[];
  /** Whose histories tell of them. */
  readonly scopes: readonly RecordScope[];
  /** All uses count, not those for `places` alone. */
  readonly whole: boolean;
}

async function subjectOf(
  { store, accountId }: CostRouteOptions,
  { view }: Inquiry,
  query: Readonly<Record<string, string>>,
): Promise<Subject> {
  const named = ["topic", "queue", "key"].filter((name) => query[name] !== undefined);
  if (named.length > 1) throw invalid(`give one of ${named.join(", ")}`);
  const { topic, queue, key } = query;
  if (key !== undefined) {
    const arn = parseArn(key);
    const found = arn?.service === "kms" ? await keyOfPlace(view, arn, key) : undefined;
    if (!found?.found) throw notFound(`there is no key ${key}: name it by its ARN`);
    const { accountId: owner, region } = found.key;
    const scope = { accountId: owner, region };
    const places = (await placesIn(view, scope)).filter((each) => each.key.arn === found.arn);
    return { places, keys: keysOf([{ key: found }]), scopes: [scope], whole: true };
  }
  const one = topic ?? queue;
  if (one !== undefined) {
    const place = await (topic ? placeOfTopic(view, one) : placeOfQueue(view, one));
    if (!place) throw notFound(`there is no ${topic ? "topic" : "queue"} ${one}`);
    if (place === "plain") {
      throw invalid(`${one} has no SSE-KMS: it costs no requests to KMS that anybody pays for`);
    }
    const keyScope = scopeOfKey(place);
    const scopes = [place.scope, ...(keyScope ? [keyScope] : [])];
    return { places: [place], keys: keysOf([place]), scopes: distinct(scopes), whole: false };
  }
  const heads = await store.query<ListChainHeads>({ kind: "audit.heads" });
  const scopes = heads
    .filter((head) => head.accountId === accountId)
    .map(({ region }) => ({ accountId, region }));
  const places = (await Promise.all(scopes.map((scope) => placesIn(view, scope)))).flat();
  return { places, keys: keysOf(places), scopes, whole: true };
}

function keysOf(places: readonly Pick<KeyedPlace, "key">[]): Subject["keys"] {
  const keys = new Map<string, boolean>();
  for (const { key } of places) if (key.found) keys.set(key.arn, !key.managed);
  return [...keys].map(([arn, customer]) => ({ arn, customer }));
}

function scopeOfKey({ key }: KeyedPlace): RecordScope | undefined {
  const arn = parseArn(key.arn);
  return arn && { accountId: arn.accountId, region: arn.region };
}

function distinct(scopes: readonly RecordScope[]): readonly RecordScope[] {
  return [
    ...new Map(scopes.map((scope) => [`${scope.accountId} ${scope.region}`, scope])).values(),
  ];
}

function periodOf({ seconds, month }: Readonly<Record<string, string>>, nowMs: number): Period {
  if (month !== undefined) {
    const period = seconds === undefined ? monthOf(month) : undefined;
    if (period) return period;
    throw invalid("month is a calendar month such as 2026-01, and comes without seconds");
  }
  if (seconds === undefined) return periodUpTo(nowMs, periodSecondsPreset);
  const number = Number(seconds);
  if (Number.isSafeInteger(number) && number > 0 && number <= periodSecondsMax) {
    return periodUpTo(nowMs, number);
  }
  throw invalid(`seconds is a whole number from 1 to ${periodSecondsMax}`);
}

function pricesOf({ requestPrice, keyPrice }: Readonly<Record<string, string>>): Prices {
  const read = (text: string | undefined, preset: number) => {
    if (text === undefined) return preset;
    if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text);
    throw invalid("a price is a number of US dollars such as 0.03");
  };
  return {
    currency: "USD",
    perTenThousandRequests: read(requestPrice, awsPrices.perTenThousandRequests),
    perKeyAndMonth: read(keyPrice, awsPrices.perKeyAndMonth),
  };
}

function invalid(message: string): Refusal {
  return new Refusal("InvalidRequest", message, { status: 400 });
}

function notFound(message: string): Refusal {
  return new Refusal("NotFound", message, { status: 404 });
}
