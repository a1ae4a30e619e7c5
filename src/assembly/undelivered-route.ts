import type { Inquiry } from "../doctor/inquiry.ts";
import { hindrancesOf } from "../doctor/undelivered.ts";
import type { AdminRoute } from "../gateway/admin.ts";
import { parseArn } from "../kernel/arn.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Store } from "../kernel/command.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import { readOutbox } from "../services/sns/outbox.ts";
import type { ListUndelivered, ReviveUndelivered } from "../services/sns/store.ts";
import type { RecordCache } from "../state/record-cache.ts";
import { inputOf } from "./admin-input.ts";
import { readQuery } from "./doctor-routes.ts";
import type { Services } from "./services.ts";

const shownMax = 100;

/**
 * `GET /_sealpost/undelivered[?topic=ARN]`: the newest notifications that did not reach their
 * queue, with the true reason, what hinders them now and the statement that is missing: of one
 * topic, or of the operator account. Bodies stay sealed.
 */
function undeliveredRoute(options: DeliveryRouteOptions): AdminRoute {
  const { store, accountId, inquiry, services } = options;
  const { requireDecryptToSend } = services;
  return {
    method: "GET",
    path: "/_sealpost/undelivered",
    action: "sealpost:ListUndelivered",
    async handle(_input, given) {
      const { topic } = readQuery(given, ["topic"]);
      const query = topic === undefined ? { accountId } : scopeOf(topic);
      const rows = await store.query<ListUndelivered>({
        kind: "sns.undelivered.list",
        limit: shownMax,
        only: "failed",
        ...query,
      });
      const subscriptions = rows.map(({ subscriptionArn }) => subscriptionArn);
      const hindrances = await hindrancesOf(inquiry(), subscriptions, { requireDecryptToSend });
      const notifications = rows.map((row) => ({
        topicArn: row.topicArn,
        subscriptionArn: row.subscriptionArn,
        messageId: row.messageId,
        publishedAt: new Date(row.publishedMs).toISOString(),
        attempts: row.attempts,
        nextAttemptAt: row.nextAttemptMs ? new Date(row.nextAttemptMs).toISOString() : null,
        failureCode: row.failureCode,
        failureText: row.failureText,
        ...hindrances.get(row.subscriptionArn),
      }));
      // What doctor answers is plain data, with absent members left out as JSON does.
      return { json: { notifications } as unknown as Json };
    },
  };
}

export interface DeliveryRouteOptions {
  readonly store: Store;
  readonly records: RecordCache;
  readonly services: Pick<Services, "sns" | "pipeline" | "requireDecryptToSend">;
  /** Service time. */
  readonly clock: Clock;
  readonly accountId: string;
  readonly inquiry: () => Inquiry;
}

/** What an operator looks at, and does, about deliveries. */
export function deliveryRoutes(options: DeliveryRouteOptions): readonly AdminRoute[] {
  return [undeliveredRoute(options), redeliverRoute(options), outboxRoute(options)];
}

/**
 * `POST /_sealpost/redeliver {"topicArn"?,"subscriptionArn"?,"messageId"?}`: what was given up is
 * attempted anew, once its cause is mended.
 */
function redeliverRoute({ records, services, clock, accountId }: DeliveryRouteOptions): AdminRoute {
  return {
    method: "POST",
    path: "/_sealpost/redeliver",
    action: "sealpost:Redeliver",
    async handle(body) {
      const input = inputOf(body);
      const topicArn = input.optionalText("topicArn");
      const subscriptionArn = input.optionalText("subscriptionArn");
      const named = topicArn ?? subscriptionArn;
      const revive: ReviveUndelivered = {
        kind: "sns.undelivered.revive",
        accountId: named === undefined ? accountId : scopeOf(named).accountId,
        topicArn,
        subscriptionArn,
        messageId: input.optionalText("messageId"),
        nowMs: clock.now(),
      };
      const [{ revived, lanes }] = await records.commit(undefined, [revive]);
      for (const each of lanes) services.sns.retryAt?.(each.subscriptionArn, each.nextAttemptMs);
      return { json: { redelivering: revived } };
    },
  };
}

/** `GET /_sealpost/outbox[?topic=ARN]`: messages that nobody here carries, opened. */
function outboxRoute({ services, accountId }: DeliveryRouteOptions): AdminRoute {
  const { sns, pipeline } = services;
  return {
    method: "GET",
    path: "/_sealpost/outbox",
    action: "sealpost:ReadOutbox",
    async handle(_input, given) {
      const { topic } = readQuery(given, ["topic"]);
      const query = topic === undefined ? { accountId } : scopeOf(topic);
      const runAsService = pipeline.runAs.bind(pipeline);
      const messages = await readOutbox({ ...sns, runAsService }, { ...query, limit: shownMax });
      return { json: { messages } };
    },
  };
}

function scopeOf(topicArn: string): Pick<ListUndelivered, "accountId" | "region" | "topicArn"> {
  const arn = parseArn(topicArn);
  if (arn?.service !== "sns") {
    throw new Refusal("InvalidRequest", "topic must be a topic ARN", { status: 400 });
  }
  return { accountId: arn.accountId, region: arn.region, topicArn };
}
