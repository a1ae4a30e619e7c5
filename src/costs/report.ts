import type { Inquiry } from "../doctor/inquiry.ts";
import {
  keyPrice,
  ownQueueTimes,
  type Prices,
  priceOf,
  queueTimes,
  requestsOf,
  topicTimes,
} from "./formula.ts";
import { type Period, periodSeconds } from "./period.ts";
import type { KeyedPlace } from "./places.ts";
import { allowedPlayers, type Players } from "./players.ts";
import { type KmsUse, requestsIn, type Tally, tallyOf } from "./uses.ts";

/** What stands beside each other everywhere: AWS's formula, and the audit's records. */
export interface Costs extends Tally {
  readonly predictedRequests: number;
  /** Requests that were answered, without those that failed. */
  readonly countedRequests: number;
  readonly prices: { readonly predicted: number; readonly counted: number };
}

export interface PrincipalCosts extends Costs {
  readonly principal: string;
  readonly roles: readonly ("publisher" | "producer" | "consumer" | "delivery")[];
}

export interface PlaceCosts extends Costs {
  readonly resource: string;
  readonly key: string;
  readonly formula: string;
  readonly dataKeyReuseSeconds: number;
  readonly producers: number;
  readonly consumers: number;
  /** `seen`: those in the audit; `allowed`: nobody was seen, so those whom the policies let. */
  readonly basis: "seen" | "allowed";
  /** Queues: what this server asks for while no backlog lies there, and by which formula. */
  readonly here?: { readonly formula: string; readonly predictedRequests: number };
  readonly principals: readonly PrincipalCosts[];
}

export interface KeyCosts extends Costs {
  readonly key: string;
  /** What AWS charges for the key itself in the period; 0 for its own. */
  readonly keyPrice: number;
  readonly principals: readonly PrincipalCosts[];
}

export interface ReportOptions {
  readonly inquiry: Inquiry;
  readonly period: Period;
  readonly unitPrices: Prices;
  /** Whether who sends to a queue opens the new data key once. */
  readonly requireDecryptToSend: boolean;
}

export async function placeCosts(
  options: ReportOptions,
  place: KeyedPlace,
  all: readonly KmsUse[],
): Promise<PlaceCosts> {
  const uses = all.filter((use) => use.place === place.arn);
  const seen = playersSeen(place, uses);
  const used = seen.producers.length + seen.consumers.length > 0;
  const players = used ? seen : await allowedPlayers(options.inquiry, place);
  const producers = players.producers.length;
  const consumers = players.consumers.length;
  const topic = "topic" in place;
  const predict = (times: number) =>
    requestsOf(
      { periodSeconds: periodSeconds(options.period), reuseSeconds: place.reuseSeconds },
      times,
    );
  const times = topic ? topicTimes(producers) : queueTimes(producers, consumers);
  const names = [...new Set([...players.producers, ...players.consumers, ...principalsOf(uses)])];
  return {
    resource: place.arn,
    key: place.key.arn,
    formula: topic ? "B / D × (2 × P)" : "B / D × (2 × P + C)",
    dataKeyReuseSeconds: place.reuseSeconds,
    producers,
    consumers,
    basis: used ? "seen" : "allowed",
    ...costsOf(options, predict(times), uses),
    ...(!topic && {
      here: {
        formula: options.requireDecryptToSend ? "B / D × (2 × P + P × C)" : "B / D × (P + P × C)",
        predictedRequests: predict(
          ownQueueTimes(producers, consumers, options.requireDecryptToSend),
        ),
      },
    }),
    principals: names.map((principal) => {
      const own = uses.filter((use) => use.principal === principal);
      const produces = players.producers.includes(principal);
      const consumes = players.consumers.includes(principal);
      const share = (produces ? 2 : 0) + (consumes ? 1 : 0);
      const roles = rolesOf(topic, produces, consumes);
      return { principal, roles, ...costsOf(options, predict(share), own) };
    }),
  };
}

/** Of all uses of a key, those under the context of no topic or queue included. */
export function keyCosts(
  options: ReportOptions,
  { arn, customer }: { readonly arn: string; readonly customer: boolean },
  places: readonly PlaceCosts[],
  all: readonly KmsUse[],
): KeyCosts {
  const uses = all.filter((use) => use.key === arn);
  const sealed = places.filter(({ key }) => key === arn);
  const predicted = sumOf(sealed.map(({ predictedRequests }) => predictedRequests));
  const rows = sealed.flatMap(({ principals }) => principals);
  const names = new Set([...rows.map(({ principal }) => principal), ...principalsOf(uses)]);
  return {
    key: arn,
    keyPrice: customer ? keyPrice(periodSeconds(options.period), options.unitPrices) : 0,
    ...costsOf(options, predicted, uses),
    principals: [...names].map((principal) => {
      const ofPlaces = rows.filter((row) => row.principal === principal);
      const own = uses.filter((use) => use.principal === principal);
      const share = sumOf(ofPlaces.map(({ predictedRequests }) => predictedRequests));
      const roles = [...new Set(ofPlaces.flatMap((row) => row.roles))];
      return { principal, roles, ...costsOf(options, share, own) };
    }),
  };
}

export function costsOf(
  { unitPrices }: ReportOptions,
  predictedRequests: number,
  uses: readonly KmsUse[],
): Costs {
  const tally = tallyOf(uses);
  const countedRequests = requestsIn(tally);
  return {
    predictedRequests,
    countedRequests,
    ...tally,
    prices: {
      predicted: priceOf(predictedRequests, unitPrices),
      counted: priceOf(countedRequests, unitPrices),
    },
  };
}

/** Whoever asked for a data key sends; whoever only opened some receives, or carries for a topic. */
function playersSeen(place: KeyedPlace, uses: readonly KmsUse[]): Players {
  const done = uses.filter(({ failed }) => !failed);
  const having = (operation: string) =>
    principalsOf(done.filter((use) => use.operation === operation));
  const producers = having("GenerateDataKey");
  return { producers, consumers: "topic" in place ? [] : having("Decrypt") };
}

function rolesOf(topic: boolean, produces: boolean, consumes: boolean): PrincipalCosts["roles"] {
  if (topic) return [produces ? "publisher" : "delivery"];
  return [
    ...(produces ? (["producer"] as const) : []),
    ...(consumes ? (["consumer"] as const) : []),
  ];
}

function principalsOf(uses: readonly KmsUse[]): readonly string[] {
  return [...new Set(uses.map(({ principal }) => principal))];
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
