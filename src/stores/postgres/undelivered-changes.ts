import { outboxCode, type SnsCommand } from "../../services/sns/store.ts";
import { type Acts, each } from "./act.ts";
import { plainText } from "./undelivered.ts";

/** What happens to notifications that wait. */
export const changeActs: Omit<Acts<SnsCommand>, "sns.undelivered.put"> = {
  "sns.undelivered.remove": each(async (work, it) => {
    await work.run(
      `DELETE FROM undelivered
        WHERE account_id = $1::text AND region = $2::text AND subscription_arn = $3::text
          AND message_id = $4::text`,
      it.accountId,
      it.region,
      it.subscriptionArn,
      it.messageId,
    );
    return undefined;
  }),
  "sns.undelivered.reschedule": each(async (work, it) => {
    await work.run(
      `UPDATE undelivered
          SET attempts = $5::int4, next_attempt_ms = $6::int8, given_up_ms = $7::int8,
              failure_code = $8::text, failure_text = $9::text
        WHERE account_id = $1::text AND region = $2::text AND subscription_arn = $3::text
          AND message_id = $4::text`,
      it.accountId,
      it.region,
      it.subscriptionArn,
      it.messageId,
      it.attempts,
      it.nextAttemptMs ?? null,
      it.givenUpMs ?? null,
      it.failureCode,
      plainText(it.failureText),
    );
    return undefined;
  }),
  "sns.undelivered.expire": each(async (work, command) => {
    const { publishedBeforeMs, subscriptionArn, givenUpBeforeMs, rowsMax } = command;
    const run = (condition: string, value: string | number | null) =>
      work.run(
        `DELETE FROM undelivered USING (
           SELECT account_id, region, subscription_arn, message_id FROM undelivered
            WHERE ${condition} AND published_ms < $1::int8 LIMIT $2::int8) AS old
          WHERE undelivered.account_id = old.account_id AND undelivered.region = old.region
            AND undelivered.subscription_arn = old.subscription_arn
            AND undelivered.message_id = old.message_id`,
        publishedBeforeMs,
        rowsMax,
        value,
      );
    if (givenUpBeforeMs !== undefined) {
      return { removed: await run("given_up_ms < $3::int8", givenUpBeforeMs) };
    }
    const removed =
      subscriptionArn === undefined
        ? await run("$3::int8 IS NULL", null)
        : await run("subscription_arn = $3::text", subscriptionArn);
    return { removed };
  }),
  "sns.undelivered.revive": each(async (work, command) => {
    const { nowMs, accountId, topicArn, subscriptionArn, messageId } = command;
    const rows = await work.all<{ subscriptionArn: string }>(
      `UPDATE undelivered SET attempts = 0, next_attempt_ms = $1::int8, given_up_ms = NULL
        WHERE account_id = $2::text AND given_up_ms IS NOT NULL
          AND failure_code <> '${outboxCode}'
          AND ($3::text IS NULL OR topic_arn = $3::text)
          AND ($4::text IS NULL OR subscription_arn = $4::text)
          AND ($5::text IS NULL OR message_id = $5::text)
        RETURNING subscription_arn AS "subscriptionArn"`,
      nowMs,
      accountId,
      topicArn ?? null,
      subscriptionArn ?? null,
      messageId ?? null,
    );
    const arns = new Set(rows.map((row) => row.subscriptionArn));
    const lanes = [...arns].map((arn) => ({ subscriptionArn: arn, nextAttemptMs: nowMs }));
    return { revived: rows.length, lanes };
  }),
};
