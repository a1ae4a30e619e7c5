import type {
  DeleteMessages,
  DeleteResult,
  ExpireMessages,
  MessageClaim,
} from "../../services/sqs/store.ts";
import { type Acts, allDone, each, type Work } from "./act.ts";
import { integers, texts } from "./columns.ts";
import { lockGroupsOf, settleHeads } from "./groups.ts";
import { inOrder, type Place, placeKey } from "./lanes.ts";
import type { Session } from "./session.ts";

interface Deleting extends Place {
  readonly act: number;
  /** Its place in its act. */
  readonly place: number;
  /** Its turn among all that are asked together. */
  index: number;
  readonly claimId: string;
  readonly fifoNowMs: number | undefined;
}

/** How a message leaves: deleted by its consumer, or older than its queue keeps it. */
export const removalActs: Acts<DeleteMessages | ExpireMessages> = {
  "sqs.delete": async (work, commands) => {
    const deletings = commands.flatMap((command, act) => deletingsOf(work, command, act));
    deletings.forEach((deleting, index) => {
      deleting.index = index;
    });
    const ordered = deletings.filter(({ fifoNowMs }) => fifoNowMs !== undefined);
    const groups = await lockGroupsOf(work, ordered);
    const gone = await remove(work, deletings);
    const notGone = deletings.filter((deleting) => gone.get(placeKey(deleting)) !== deleting);
    const [left] = await allDone([claimsOf(work, notGone), settleHeads(work, groups)]);
    const results = commands.map(({ messages }) => messages.map((): DeleteResult => "absent"));
    for (const deleting of deletings) {
      const result = outcome(deleting, gone, left);
      const ofAct = results[deleting.act];
      if (ofAct) ofAct[deleting.place] = result;
    }
    return results;
  },
  "sqs.expire": each(async (work, { queue, sentBeforeMs, rowsMax }) => {
    const number = work.queue(queue);
    if (number === undefined) return { removed: 0, more: false };
    const removed = await expire(work, number, sentBeforeMs, rowsMax);
    return { removed, more: removed === rowsMax };
  }),
};

function deletingsOf(work: Work, command: DeleteMessages, act: number): Deleting[] {
  const queue = work.queue(command.queue);
  if (queue === undefined) return [];
  const { fifoNowMs } = command;
  return command.messages.map(({ sequence, claimId }: MessageClaim, place) => {
    return { act, place, index: 0, queue, sequence, claimId, fifoNowMs };
  });
}

/** Deletes what is held by its claim; answers by place which of the deletions did it. */
async function remove(
  session: Session,
  deletings: readonly Deleting[],
): Promise<ReadonlyMap<string, Deleting>> {
  if (deletings.length === 0) return new Map();
  const sorted = inOrder(deletings);
  const rows = await session.all<Place & { readonly claimId: string }>(
    `WITH gone AS (
       DELETE FROM messages
        USING unnest($1::int8[], $2::int8[], $3::text[], $4::int8[])
              AS asked(queue, sequence, claim_id, now_ms)
        WHERE messages.queue = asked.queue AND messages.sequence = asked.sequence
          AND messages.claim_id = asked.claim_id
          AND (asked.now_ms IS NULL OR visible_at_ms > asked.now_ms)
        RETURNING messages.queue, messages.sequence, messages.claim_id),
     bodies AS (
       DELETE FROM message_bodies USING gone
        WHERE message_bodies.queue = gone.queue AND message_bodies.sequence = gone.sequence)
     SELECT queue, sequence, claim_id AS "claimId" FROM gone`,
    integers(sorted.map(({ queue }) => queue)),
    integers(sorted.map(({ sequence }) => sequence)),
    texts(sorted.map(({ claimId }) => claimId)),
    integers(sorted.map(({ fifoNowMs }) => fifoNowMs ?? null)),
  );
  const byClaim = new Map<string, Deleting>();
  for (const deleting of deletings.toReversed()) {
    byClaim.set(`${placeKey(deleting)}/${deleting.claimId}`, deleting);
  }
  const gone = new Map<string, Deleting>();
  for (const row of rows) {
    const by = byClaim.get(`${placeKey(row)}/${row.claimId}`);
    if (by) gone.set(placeKey(row), by);
  }
  return gone;
}

async function claimsOf(
  session: Session,
  places: readonly Place[],
): Promise<ReadonlyMap<string, string>> {
  if (places.length === 0) return new Map();
  const rows = await session.all<Place & { readonly claimId: string }>(
    `SELECT queue, sequence, claim_id AS "claimId"
       FROM unnest($1::int8[], $2::int8[]) AS asked(queue, sequence)
       JOIN messages USING (queue, sequence)`,
    integers(places.map(({ queue }) => queue)),
    integers(places.map(({ sequence }) => sequence)),
  );
  return new Map(rows.map((row) => [placeKey(row), row.claimId]));
}

/** As if they had come one after another. */
function outcome(
  deleting: Deleting,
  gone: ReadonlyMap<string, Deleting>,
  left: ReadonlyMap<string, string>,
): DeleteResult {
  const key = placeKey(deleting);
  const by = gone.get(key);
  if (by === deleting) return "deleted";
  if (by !== undefined) return by.index < deleting.index ? "absent" : "superseded";
  const claimId = left.get(key);
  if (claimId === undefined) return "absent";
  return claimId === deleting.claimId ? "lapsed" : "superseded";
}

/** Removes messages sent before a time, oldest first, unless fewer than `rowsMin`; how many. */
export async function expire(
  session: Session,
  queue: number,
  sentBeforeMs: number,
  rowsMax: number,
  rowsMin: number = 1,
): Promise<number> {
  const rows = await session.all<Place>(
    `SELECT queue, sequence FROM message_bodies
      WHERE queue = $1::int8 AND sent_ms < $2::int8 ORDER BY sent_ms LIMIT $3::int8`,
    queue,
    sentBeforeMs,
    rowsMax,
  );
  if (rows.length < rowsMin || rows.length === 0) return 0;
  const groups = await lockGroupsOf(session, rows);
  const sequences = integers(inOrder(rows).map(({ sequence }) => sequence));
  await allDone([
    session.run(
      "DELETE FROM messages WHERE queue = $1::int8 AND sequence = ANY($2::int8[])",
      queue,
      sequences,
    ),
    session.run(
      "DELETE FROM message_bodies WHERE queue = $1::int8 AND sequence = ANY($2::int8[])",
      queue,
      sequences,
    ),
    settleHeads(session, groups),
  ]);
  return rows.length;
}
