import type { DatabaseSync } from "node:sqlite";
import { textBytesOf } from "../../services/cloudtrail/packed-records.ts";
import type {
  ListAccountsWith,
  ListWaiting,
  ListWaitingTrails,
  RemoveWaiting,
  TrailIdentity,
  WaitingBatch,
} from "../../services/cloudtrail/store.ts";
import { type Acts, prepare } from "./act.ts";

/** Rows read at a time while a file fills: each may be a megabyte. */
const pageRows = 16;

/** What trails have not delivered yet. */
export function trailEventActs(
  database: DatabaseSync,
): Acts<ListWaiting | ListWaitingTrails | RemoveWaiting | ListAccountsWith> {
  const waiting = prepare<WaitingBatch>(
    database,
    `SELECT number, event_region AS eventRegion, oldest_ms AS oldestMs, newest_ms AS newestMs,
            records, key_version AS keyVersion, hash
       FROM trail_batches
      WHERE account_id = ? AND region = ? AND trail = ? AND number > ? AND number <= ?
      ORDER BY number LIMIT ?`,
  );
  const remove = prepare(
    database,
    `DELETE FROM trail_batches
      WHERE account_id = ? AND region = ? AND trail = ? AND number <= ?`,
  );
  return {
    "trail.waiting": ({ trail, throughNumber = Number.MAX_SAFE_INTEGER, bytesMax }) => {
      const { accountId, region, name } = trail;
      const limit = bytesMax === 0 ? 1 : pageRows;
      const batches: WaitingBatch[] = [];
      let bytes = 0;
      for (;;) {
        const after = batches.at(-1)?.number ?? 0;
        const page = waiting.all(accountId, region, name, after, throughNumber, limit);
        for (const batch of page) {
          bytes += textBytesOf(batch.records) + 1;
          if (bytes > bytesMax && batches.length > 0) return batches;
          batches.push(batch);
        }
        if (page.length < pageRows) return batches;
      }
    },
    "trail.trails": createWaitingTrails(database),
    "trail.delivered": ({ trail, throughNumber }) => {
      remove.run(trail.accountId, trail.region, trail.name, throughNumber);
      return undefined;
    },
    "trail.accounts": createAccounts(database),
  };
}

/** Jumps from one trail to the next in the primary key: no walk through what waits. */
function createWaitingTrails(database: DatabaseSync): () => readonly TrailIdentity[] {
  const following = prepare<TrailIdentity>(
    database,
    `SELECT account_id AS accountId, region, trail AS name FROM trail_batches
      WHERE (account_id, region, trail) > (?, ?, ?)
      ORDER BY account_id, region, trail LIMIT 1`,
  );
  return () => {
    const trails: TrailIdentity[] = [];
    let trail = following.get("", "", "");
    while (trail !== undefined) {
      trails.push(trail);
      trail = following.get(trail.accountId, trail.region, trail.name);
    }
    return trails;
  };
}

function createAccounts(database: DatabaseSync): Acts<ListAccountsWith>["trail.accounts"] {
  const following = prepare<{ accountId: string }>(
    database,
    "SELECT account_id AS accountId FROM records WHERE account_id > ? ORDER BY account_id LIMIT 1",
  );
  const has = prepare(
    database,
    "SELECT 1 FROM records WHERE account_id = ? AND region = '' AND kind = ? LIMIT 1",
  );
  return ({ recordKind }) => {
    const accounts: string[] = [];
    let next = following.get("");
    while (next !== undefined) {
      if (has.get(next.accountId, recordKind)) accounts.push(next.accountId);
      next = following.get(next.accountId);
    }
    return accounts;
  };
}
