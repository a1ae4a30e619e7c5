import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { StoredDataKey } from "../../kernel/sealed.ts";
import type { SealingCommand, SealingQuery } from "../../sealing/store.ts";
import { type Acts, prepare } from "./act.ts";

export interface DataKeys {
  readonly acts: Acts<SealingCommand | SealingQuery>;
  find(accountId: string, region: string, id: string): StoredDataKey | undefined;
  /** The short name that bodies in queues know it by. It must be there. */
  numberOf(accountId: string, region: string, id: string): number;
  withNumber(number: number): StoredDataKey;
  /** Something was rolled back. */
  reload(): void;
}

/** Data keys whose numbers are remembered. */
const rememberedMax = 50_000;

export function createDataKeys(database: DatabaseSync): DataKeys {
  const put = prepare(
    database,
    `INSERT INTO data_keys
       (account_id, region, id, sealing_arn, mode, key_arn, blob, created_ms, number)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM data_keys))
         ON CONFLICT DO NOTHING`,
  );
  const columns = `id, account_id AS accountId, region, sealing_arn AS sealingArn, mode,
            key_arn AS keyArn, blob, created_ms AS createdMs`;
  const get = prepare<StoredDataKey>(
    database,
    `SELECT ${columns} FROM data_keys WHERE account_id = ? AND region = ? AND id = ?`,
  );
  const getNumber = prepare<{ number: number }>(
    database,
    "SELECT number FROM data_keys WHERE account_id = ? AND region = ? AND id = ?",
  );
  const byNumber = prepare<StoredDataKey>(
    database,
    `SELECT ${columns} FROM data_keys WHERE number = ?`,
  );
  const sweep = prepare(
    database,
    `DELETE FROM data_keys WHERE (account_id, region, id) IN (
       SELECT account_id, region, id FROM data_keys AS old
        WHERE created_ms < ?
          AND NOT EXISTS (SELECT 1 FROM message_bodies WHERE data_key = old.number)
          AND NOT EXISTS (SELECT 1 FROM undelivered
                WHERE undelivered.account_id = old.account_id AND undelivered.region = old.region
                  AND undelivered.data_key_id = old.id)
          AND NOT EXISTS (SELECT 1 FROM topic_archive AS kept
                WHERE kept.account_id = old.account_id AND kept.region = old.region
                  AND kept.data_key_id = old.id)
        LIMIT ?)`,
  );
  const find = (accountId: string, region: string, id: string) => get.get(accountId, region, id);
  const numbers = new Map<string, number>();
  const keys = new Map<number, StoredDataKey>();

  function reload(): void {
    numbers.clear();
    keys.clear();
  }

  return {
    reload,
    numberOf(accountId, region, id) {
      const name = `${accountId}/${region}/${id}`;
      const known = numbers.get(name);
      if (known !== undefined) return known;
      const number = getNumber.get(accountId, region, id)?.number;
      assert(number, "the data key of a message is stored before it");
      if (numbers.size >= rememberedMax) numbers.clear();
      numbers.set(name, number);
      return number;
    },
    withNumber(number) {
      const known = keys.get(number);
      if (known !== undefined) return known;
      const key = byNumber.get(number);
      assert(key, "a foreign key holds the data key of a message");
      if (keys.size >= rememberedMax) keys.clear();
      keys.set(number, key);
      return key;
    },
    acts: {
      "data-key.put": ({ dataKey }) => {
        const { id, accountId, region, sealingArn, mode, keyArn, blob, createdMs } = dataKey;
        put.run(accountId, region, id, sealingArn, mode, keyArn, blob, createdMs);
        return undefined;
      },
      "data-key.sweep": ({ createdBeforeMs, rowsMax }) => {
        const removed = sweep.run(createdBeforeMs, rowsMax);
        if (removed > 0) reload();
        return { removed };
      },
      "data-key.get": ({ accountId, region, id }) => find(accountId, region, id),
    },
    find,
  };
}
