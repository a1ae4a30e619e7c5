import type { AdminRoute } from "../gateway/admin.ts";
import type { Store } from "../kernel/command.ts";
import type { ListUndelivered } from "../services/sns/store.ts";

const shownMax = 100;

/**
 * `GET /_sealpost/undelivered`: the newest notifications that did not reach their queue, with the
 * true reason. Bodies stay sealed.
 */
export function undeliveredRoute(store: Store, accountId: string): AdminRoute {
  return {
    method: "GET",
    path: "/_sealpost/undelivered",
    action: "sealpost:ListUndelivered",
    async handle() {
      const query: ListUndelivered = { kind: "sns.undelivered.list", accountId, limit: shownMax };
      const rows = await store.query(query);
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
