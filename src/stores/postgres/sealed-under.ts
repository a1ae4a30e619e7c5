import type {
  CountSealedUnder,
  ListSealingKeys,
  SealedUnder,
  SealingKey,
} from "../../services/sqs/store.ts";
import { type Acts, together } from "./act.ts";

/** A question of an operator: it reads what lies under one KMS key. */
export const sealedUnderActs: Acts<CountSealedUnder | ListSealingKeys> = {
  "sqs.sealing-keys": together(async (work) =>
    work.all<SealingKey>(
      `SELECT DISTINCT key_arn AS "keyArn", account_id AS "accountId", region FROM data_keys
          WHERE mode = 'kms' ORDER BY 1, 2, 3`,
    ),
  ),
  "sqs.sealed-under": together(async (work, { accountId, region, keyArn }) =>
    work.all<SealedUnder>(
      `SELECT queues.queue_id AS "queueId", count(*) AS messages,
              min(body.sent_ms) AS "oldestSentMs"
         FROM data_keys AS d
         JOIN message_bodies AS body ON body.data_key_id = d.id
         JOIN queues ON queues.number = body.queue AND queues.account_id = d.account_id
                    AND queues.region = d.region AND NOT discarded
        WHERE d.account_id = $1::text AND d.region = $2::text AND d.mode = 'kms'
          AND d.key_arn = $3::text
        GROUP BY queues.queue_id ORDER BY queues.queue_id`,
      accountId,
      region,
      keyArn,
    ),
  ),
};
