import type { DatabaseSync } from "node:sqlite";
import type { StoredDataKey } from "../../kernel/sealed.ts";
import type { SealingCommand, SealingQuery } from "../../sealing/store.ts";
import { type Acts, prepare } from "./act.ts";

export interface DataKeys {
  readonly acts: Acts<SealingCommand | SealingQuery>;
  find(accountId: string, region: string, id: string): StoredDataKey | undefined;
}

export function createDataKeys(database: DatabaseSync): DataKeys {
  const put = prepare(
    database,
    `INSERT INTO data_keys
       (account_id, region, id, sealing_arn, mode, key_arn, blob, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const get = prepare<StoredDataKey>(
    database,
    `SELECT id, account_id AS accountId, region, sealing_arn AS sealingArn, mode,
            key_arn AS keyArn, blob, created_ms AS createdMs
       FROM data_keys WHERE account_id = ? AND region = ? AND id = ?`,
  );
  const sweep = prepare(
    database,
    `DELETE FROM data_keys WHERE (account_id, region, id) IN (
       SELECT account_id, region, id FROM data_keys AS old
        WHERE created_ms < ?
          AND NOT EXISTS (SELECT 1 FROM message_bodies AS body
                WHERE body.account_id = old.account_id AND body.region = old.region
                  AND body.data_key_id = old.id)
          AND NOT EXISTS (SELECT 1 FROM undelivered
                WHERE undelivered.account_id = old.account_id AND undelivered.region = old.region
                  AND undelivered.data_key_id = old.id)
          AND NOT EXISTS (SELECT 1 FROM topic_archive AS kept
                WHERE kept.account_id = old.account_id AND kept.region = old.region
                  AND kept.data_key_id = old.id)
        LIMIT ?)`,
  );
  const find = (accountId: string, region: string, id: string) => get.get(accountId, region, id);
  return {
    acts: {
      "data-key.put": ({ dataKey }) => {
        const { id, accountId, region, sealingArn, mode, keyArn, blob, createdMs } = dataKey;
        put.run(accountId, region, id, sealingArn, mode, keyArn, blob, createdMs);
        return undefined;
      },
      "data-key.sweep": ({ createdBeforeMs, rowsMax }) => ({
        removed: sweep.run(createdBeforeMs, rowsMax),
      }),
      "data-key.get": ({ accountId, region, id }) => find(accountId, region, id),
    },
    find,
  };
}
