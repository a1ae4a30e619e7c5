import type {
  ListAccountsWith,
  ListWaiting,
  ListWaitingTrails,
  RemoveWaiting,
  WaitingEvent,
} from "../../services/cloudtrail/store.ts";
import { type Acts, each, together } from "./act.ts";
import type { Session } from "./session.ts";

/** Rows read at a time while a file fills. */
const pageRows = 500;

/** What trails have not delivered yet. */
export const trailEventActs: Acts<
  ListWaiting | ListWaitingTrails | RemoveWaiting | ListAccountsWith
> = {
  "trail.waiting": together(waiting),
  // Jumps from one trail to the next in the primary key: no walk through what waits.
  "trail.trails": together(async (work) =>
    work.all(
      `WITH RECURSIVE trail (account_id, region, name) AS (
         (SELECT account_id, region, trail FROM trail_events
           ORDER BY account_id, region, trail LIMIT 1)
         UNION ALL
         SELECT following.* FROM trail CROSS JOIN LATERAL (
           SELECT account_id, region, trail FROM trail_events
            WHERE (account_id, region, trail) > (trail.account_id, trail.region, trail.name)
            ORDER BY account_id, region, trail LIMIT 1) AS following)
       SELECT account_id AS "accountId", region, name FROM trail
        ORDER BY account_id, region, name`,
    ),
  ),
  "trail.delivered": each(async (work, { trail, throughNumber }) => {
    await work.run(
      `DELETE FROM trail_events
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
): Promise<readonly WaitingEvent[]> {
  const events: WaitingEvent[] = [];
  let bytes = 0;
  for (;;) {
    const page = await session.all<WaitingEvent>(
      `SELECT number, event_region AS "eventRegion", time_ms AS "timeMs", record,
              key_version AS "keyVersion", hash
         FROM trail_events
        WHERE account_id = $1::text AND region = $2::text AND trail = $3::text
          AND number > $4::int8 AND number <= $5::int8
        ORDER BY number LIMIT ${pageRows}`,
      trail.accountId,
      trail.region,
      trail.name,
      events.at(-1)?.number ?? 0,
      throughNumber,
    );
    for (const event of page) {
      bytes += Buffer.byteLength(event.record) + 1;
      if (bytes > bytesMax && events.length > 0) return events;
      events.push(event);
    }
    if (page.length < pageRows) return events;
  }
}
