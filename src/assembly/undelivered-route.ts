import type { AdminRoute } from "../gateway/admin.ts";
import { parseArn } from "../kernel/arn.ts";
import type { Store } from "../kernel/command.ts";
import { Refusal } from "../kernel/errors.ts";
import type { ListUndelivered } from "../services/sns/store.ts";
import { readQuery } from "./doctor-routes.ts";

const shownMax = 100;

/**
 * `GET /_sealpost/undelivered[?topic=ARN]`: the newest notifications that did not reach their
 * queue, with the true reason: of one topic, or of the operator account. Bodies stay sealed.
 */
export function undeliveredRoute(store: Store, accountId: string): AdminRoute {
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
        ...query,
      });
      const notifications = rows.map((row) => ({
        topicArn: row.topicArn,
        subscriptionArn: row.subscriptionArn,
        messageId: row.messageId,
        publishedAt: new Date(row.publishedMs).toISOString(),
        attempts: row.attempts,
        nextAttemptAt: row.nextAttemptMs ? new Date(row.nextAttemptMs).toISOString() : null,
        failureCode: row.failureCode,
        failureText: row.failureText,
      }));
      return { json: { notifications } };
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
