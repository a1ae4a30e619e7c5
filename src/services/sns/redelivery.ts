import type { Call } from "../../kernel/call.ts";
import type { ServiceCaller } from "../../kernel/caller.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { Fault, Refusal } from "../../kernel/errors.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { Opened } from "../../kernel/sealer.ts";
import {
  type DeliveryFailure,
  deliver,
  describeFailure,
  nextAttemptMs,
  reportFailure,
} from "./delivery.ts";
import { signNotification } from "./envelope.ts";
import { type Ask, type SnsDependencies, servicePrincipal } from "./ports.ts";
import type {
  DueUndelivered,
  ExpireUndelivered,
  RemoveUndelivered,
  RescheduleUndelivered,
  UndeliveredRow,
} from "./store.ts";
import { type SubscriptionRecord, subscriptionId, subscriptionKind } from "./subscriptions.ts";
import { dataKeyReuseMs, type TopicRecord, topicFacts, topicKind } from "./topics.ts";
import { isInPlace, notificationOfRow } from "./undelivered.ts";

/**
 * One act of a service under its own identity, outside any request: gets a call of its own, is
 * decided again when the configuration moved on, and its outcome is committed with its audit.
 */
export type RunAsService = <O>(
  session: ServiceSession,
  act: (call: Call) => Promise<Outcome<O>>,
) => Promise<O>;

export interface ServiceSession {
  readonly caller: ServiceCaller;
  /** `sns` */
  readonly service: string;
  /** What the service is doing, for logs: `Redeliver`. */
  readonly operation: string;
  readonly region: string;
}

export interface RedeliveryDependencies extends SnsDependencies {
  readonly ask: Ask;
  readonly runAsService: RunAsService;
}

/** Rows read at a time, and attempted side by side. */
const rowsMax = 64;

/**
 * How long delivery waits when the *topic's* key says no: it never drops, and a key that is off
 * for days is not asked for each message all the time.
 */
export const topicKeyWaitMs = 60_000;

/**
 * Attempts every notification that is due at `nowMs`. Answers when the next one is due; undefined
 * if none waits. A failed attempt is noted in the store, never thrown.
 */
export async function redeliverDue(
  deps: RedeliveryDependencies,
  nowMs: EpochMs,
): Promise<EpochMs | undefined> {
  for (;;) {
    const due = await deps.ask<DueUndelivered>({
      kind: "sns.undelivered.due",
      nowMs,
      limit: rowsMax,
    });
    const done = await Promise.allSettled(due.map((row) => redeliver(deps, row)));
    for (const each of done) if (each.status === "rejected") throw each.reason;
    if (due.length < rowsMax) break;
  }
  const [next] = await deps.ask<DueUndelivered>({
    kind: "sns.undelivered.due",
    nowMs: Number.MAX_SAFE_INTEGER,
    limit: 1,
  });
  return next?.nextAttemptMs;
}

/** Ends the time that given-up notifications stay visible. */
export function expireGivenUp(publishedBeforeMs: EpochMs): ExpireUndelivered {
  return {
    kind: "sns.undelivered.expire",
    publishedBeforeMs,
    givenUpOnly: true,
    rowsMax: 1_000,
  };
}

function redeliver(deps: RedeliveryDependencies, row: UndeliveredRow): Promise<undefined> {
  const session: ServiceSession = {
    service: "sns",
    operation: "Redeliver",
    region: row.region,
    caller: {
      kind: "service",
      service: servicePrincipal,
      sourceArn: row.topicArn,
      sourceAccountId: row.accountId,
    },
  };
  return deps.runAsService(session, (call) => attempt(deps, call, row));
}

/** A record that does not hold, or cannot be read now, stops its own notification only. */
async function attempt(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
): Promise<Outcome<undefined>> {
  try {
    return await openAndDeliver(deps, call, row);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return unopened(deps, call, row, { ok: false, error });
  }
}

async function openAndDeliver(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
): Promise<Outcome<undefined>> {
  const [name = "", uuid = ""] = row.subscriptionArn.split(":").slice(-2);
  const topic = await topicKind.get(call.records, row, name);
  const id = subscriptionId(name, uuid);
  const subscription = await subscriptionKind.get(call.records, row, id);
  if (!topic || !subscription) return { output: undefined, commands: [removed(row)] };
  if (!isInPlace(deps.places, topic.arn, row)) {
    const text = "a stored notification is not where it was put";
    return unopened(deps, call, row, { ok: false, error: new Fault("body-authentication", text) });
  }
  const { place } = topicFacts(topic);
  const [opened] = await deps.sealer.open(call, { ...place, reusePeriodMs: dataKeyReuseMs }, [row]);
  if (!opened) throw new Error("the sealer answers each body that it is given");
  if (!opened.ok) return unopened(deps, call, row, opened);
  return deliverOpened(deps, call, row, topic, subscription, opened.body.toString("utf8"));
}

async function deliverOpened(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  body: string,
): Promise<Outcome<undefined>> {
  const notification = notificationOfRow(row, body);
  const signed = subscription.rawMessageDelivery
    ? undefined
    : await signNotification(deps.signer, notification, topicFacts(topic).signatureVersion);
  const tried = await deliver(deps, call, subscription, { notification, signed });
  if (tried.delivered) {
    return {
      output: undefined,
      commands: [...tried.commands, removed(row)],
      committed: () => {
        tried.committed?.();
        deps.metrics.count("NumberOfNotificationsDelivered", 1);
      },
    };
  }
  const attempts = row.attempts + 1;
  const { failure } = tried;
  return noted(deps, row, attempts, failure, nextAttemptMs(call.now, attempts, failure));
}

const neverOpens: ReadonlySet<string> = new Set(["body-authentication", "data-key-authentication"]);

/**
 * The topic's own key does not open the body now: wait, without using up an attempt. A body that is
 * not authentic will never open: given up.
 */
function unopened(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
  { error }: Extract<Opened, { ok: false }>,
): Outcome<undefined> {
  const hopeless = error instanceof Fault && neverOpens.has(error.kind);
  const failure = describeFailure(error, deps.log);
  const place = error instanceof Refusal ? "topic key: " : "topic: ";
  const told = { ...failure, text: place + failure.text };
  const nextMs = hopeless ? undefined : call.now + topicKeyWaitMs;
  return noted(deps, row, row.attempts, told, nextMs);
}

function noted(
  deps: RedeliveryDependencies,
  row: UndeliveredRow,
  attempts: number,
  failure: DeliveryFailure,
  nextMs: EpochMs | undefined,
): Outcome<undefined> {
  const { accountId, region, subscriptionArn, messageId } = row;
  const reschedule: RescheduleUndelivered = {
    kind: "sns.undelivered.reschedule",
    accountId,
    region,
    subscriptionArn,
    messageId,
    attempts,
    nextAttemptMs: nextMs,
    failureCode: failure.code,
    failureText: failure.text,
  };
  return {
    output: undefined,
    commands: [reschedule],
    committed: () =>
      reportFailure(deps, { subscriptionArn, messageId, attempts, failure, nextAttemptMs: nextMs }),
  };
}

function removed({ accountId, region, subscriptionArn, messageId }: UndeliveredRow): Command {
  const command: RemoveUndelivered = {
    kind: "sns.undelivered.remove",
    accountId,
    region,
    subscriptionArn,
    messageId,
  };
  return command;
}
