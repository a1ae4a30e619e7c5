import { textBytesOf } from "../../services/cloudtrail/packed-records.ts";
import type {
  ListAccountsWith,
  ListWaiting,
  ListWaitingTrails,
  RemoveWaiting,
  WaitingBatch,
} from "../../services/cloudtrail/store.ts";
import { type Acts, each, together } from "./act.ts";
import type { Session } from "./session.ts";

/** Rows read at a time while a file fills: each may be a megabyte. */
const pageRows = 16;

/** What trails have not delivered yet. */
export const trailEventActs: Acts<
  ListWaiting | ListWaitingTrails | RemoveWaiting | ListAccountsWith
> = {
  "trail.waiting": together(waiting),
  // Jumps from one trail to the next in the primary key: no walk through what waits.
  "trail.trails": together(async (work) =>
    work.all(
      `WITH RECURSIVE trail (account_id, region, name) AS (
         (SELECT account_id, region, trail FROM trail_batches
           ORDER BY account_id, region, trail LIMIT 1)
         UNION ALL
         SELECT following.* FROM trail CROSS JOIN LATERAL (
           SELECT account_id, region, trail FROM trail_batches
            WHERE (account_id, region, trail) > (trail.account_id, trail.region, trail.name)
            ORDER BY account_id, region, trail LIMIT 1) AS following)
       SELECT account_id AS "accountId", region, name FROM trail
        ORDER BY account_id, region, name`,
    ),
  ),
  "trail.delivered": each(async (work, { trail, throughNumber }) => {
    await work.run(
      `DELETE FROM trail_batches
        WHERE account_id = $1::text AND region = $2::text AND trail = $3::text
          AND number <= $4::int8`,
      trail.accountId,
      trail.region,
      trail.name,
      throughNumber,
    );
    return undefined;
  }),
  "trail.accounts": together(async (work, { recordKind }) => {
    const rows = await work.all<{ accountId: string }>(
      `SELECT account_id AS "accountId" FROM account_versions
        WHERE EXISTS (SELECT 1 FROM records WHERE records.account_id = account_versions.account_id
                AND region = '' AND kind = $1::text)
        ORDER BY account_id`,
      recordKind,
    );
    return rows.map(({ accountId }) => accountId).filter((accountId) => accountId !== "");
  }),
};

async function waiting(
  session: Session,
  { trail, throughNumber = Number.MAX_SAFE_INTEGER, bytesMax }: ListWaiting,
): Promise<readonly WaitingBatch[]> {
  const limit = bytesMax === 0 ? 1 : pageRows;
  const batches: WaitingBatch[] = [];
  let bytes = 0;
  for (;;) {
    const page = await session.all<WaitingBatch>(
      `SELECT number, event_region AS "eventRegion", oldest_ms AS "oldestMs",
              newest_ms AS "newestMs", records, key_version AS "keyVersion", hash
         FROM trail_batches
        WHERE account_id = $1::text AND region = $2::text AND trail = $3::text
          AND number > $4::int8 AND number <= $5::int8
        ORDER BY number LIMIT $6::int8`,
      trail.accountId,
      trail.region,
      trail.name,
      batches.at(-1)?.number ?? 0,
      throughNumber,
      limit,
    );
    for (const batch of page) {
      bytes += textBytesOf(batch.records) + 1;
      if (bytes > bytesMax && batches.length > 0) return batches;
      batches.push(batch);
    }
    if (page.length < pageRows) return batches;
  }
}
