import type { DatabaseSync } from "node:sqlite";
import type { RecordScope } from "../../kernel/records.ts";
import type { ListQueueScopes } from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";

/** Jumps from one account and region to the next in the primary key; no walk through all. */
export function scopeActs(database: DatabaseSync): Acts<ListQueueScopes> {
  const following = prepare<RecordScope>(
    database,
    `SELECT account_id AS accountId, region FROM records
      WHERE (account_id, region) > (?, ?) ORDER BY account_id, region LIMIT 1`,
  );
  const ofQueues = prepare(
    database,
    `SELECT 1 FROM records
      WHERE account_id = ? AND region = ? AND kind >= 'sqs.' AND kind < 'sqs/' LIMIT 1`,
  );
  return {
    "sqs.scopes": () => {
      const scopes: RecordScope[] = [];
      let scope = following.get("", "");
      while (scope !== undefined) {
        if (ofQueues.get(scope.accountId, scope.region)) scopes.push(scope);
        scope = following.get(scope.accountId, scope.region);
      }
      return scopes;
    },
  };
}
