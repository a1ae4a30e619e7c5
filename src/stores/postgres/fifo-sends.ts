import type { InsertMessages, NewMessage, PlacedMessage } from "../../services/sqs/store.ts";
import { allDone, type Work } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";
import { type Group, lockForSend, settleHeads } from "./groups.ts";
import { lanes } from "./lanes.ts";
import { type Placing, place } from "./placing.ts";
import type { Session } from "./session.ts";

/** One message of one act. */
interface Sending {
  readonly act: number;
  readonly queue: number;
  readonly accountId: string;
  readonly region: string;
  readonly historyId: string;
  readonly nowMs: number;
  /** What was sent at or before this time is forgotten. */
  readonly forgottenMs: number;
  readonly message: NewMessage;
  sequence: number;
}

interface FirstSend {
  readonly historyId: string;
  readonly digest: string;
  readonly messageId: string;
  readonly sequence: number;
}

export type FifoSends = (
  work: Work,
  commands: readonly InsertMessages[],
) => Promise<readonly (readonly PlacedMessage[])[]>;

/**
 * INVARIANT: numbers are given out under the locks of the groups, so the order of a group's numbers
 * is the order in which its messages come to be seen, whichever process put them in.
 */
export function createFifoSends(): FifoSends {
  return async (work, commands) => {
    if (commands.length === 0) return [];
    const sendings = commands.flatMap((command, act) => sendingsOf(work, command, act));
    const groups: readonly Group[] = sendings.map(({ queue, message }) => {
      return { queue, groupId: message.groupId ?? "" };
    });
    const [, numbers] = await allDone([
      lockForSend(work, groups),
      work.all<{ n: number }>(
        "SELECT nextval('message_sequence') AS n FROM generate_series(1, $1::int8)",
        sendings.length,
      ),
    ]);
    numbers.forEach(({ n }, index) => {
      const sending = sendings[index];
      if (sending) sending.sequence = n;
    });
    const { first, fresh } = await rememberNew(work, sendings);
    const placings = sendings
      .filter((sending) => fresh.has(sending))
      .map(({ queue, message, sequence }): Placing => {
        return { queue, lane: lanes.fifo, message, sequence };
      });
    await allDone([
      placings.length > 0 ? place(work, placings) : Promise.resolve(),
      settleHeads(work, groups),
    ]);
    return commands.map((_, act) =>
      sendings.filter((sending) => sending.act === act).map((sending) => answer(sending, first)),
    );
  };
}

function sendingsOf(work: Work, command: InsertMessages, act: number): Sending[] {
  const { queue, fifo, messages } = command;
  const { accountId, region } = queue;
  const { historyId = "", nowMs = 0, rememberMs = 0 } = fifo ?? {};
  const number = work.numberOf(queue);
  return messages.map((message) => ({
    act,
    queue: number,
    accountId,
    region,
    historyId,
    nowMs,
    forgottenMs: nowMs - rememberMs,
    message,
    sequence: 0,
  }));
}

const keyOf = (historyId: string, digest: string) => `${historyId}/${digest}`;

function answer(sending: Sending, firsts: ReadonlyMap<Sending, FirstSend>): PlacedMessage {
  const first = firsts.get(sending);
  if (first) return { messageId: first.messageId, sequence: first.sequence, duplicate: true };
  const { message, sequence } = sending;
  return { messageId: message.messageId, sequence, duplicate: false };
}

/** Which of them are sent for the first time, and for the others that first send. */
async function rememberNew(session: Session, sendings: readonly Sending[]) {
  const first = new Map<Sending, FirstSend>();
  const fresh = new Set<Sending>();
  const byKey = new Map<string, FirstSend>();
  await lockHistories(session, sendings);
  for (const known of await recall(session, sendings)) {
    byKey.set(keyOf(known.historyId, known.digest), known);
  }
  for (const sending of sendings) {
    const digests = (sending.message.deduplication ?? []).map(hexOf);
    const earlier = digests
      .map((digest) => byKey.get(keyOf(sending.historyId, digest)))
      .find((known) => known !== undefined);
    if (earlier) {
      first.set(sending, earlier);
      continue;
    }
    fresh.add(sending);
    const [digest] = digests;
    if (digest === undefined) continue;
    const { historyId, sequence, message } = sending;
    const sent = { historyId, digest, messageId: message.messageId, sequence };
    byKey.set(keyOf(historyId, digest), sent);
  }
  await remember(
    session,
    [...fresh].filter(({ message }) => (message.deduplication ?? []).length > 0),
  );
  return { first, fresh };
}

function hexOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString("hex");
}

/** One digest in two processes at once: the second waits here until the first is done. */
async function lockHistories(session: Session, sendings: readonly Sending[]): Promise<void> {
  const keys = sendings.flatMap(({ historyId, message }) =>
    (message.deduplication ?? []).map((digest) => ({
      // 48 bits: digests of different ids that share them only wait for each other.
      key: Buffer.from(digest).readUIntBE(0, 6),
      historyId,
    })),
  );
  const sorted = [...new Set(keys.map(({ key }) => key))].toSorted((a, b) => a - b);
  if (sorted.length === 0) return;
  await session.all(
    "SELECT pg_advisory_xact_lock(key) FROM unnest($1::int8[]) AS key",
    integers(sorted),
  );
}

function recall(session: Session, sendings: readonly Sending[]): Promise<FirstSend[]> {
  const rows = sendings.flatMap((sending) =>
    (sending.message.deduplication ?? []).map((digest) => ({ ...sending, digest })),
  );
  return session.all<FirstSend>(
    `SELECT history_id AS "historyId", encode(digest, 'hex') AS digest,
            message_id AS "messageId", sequence
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::int8[])
         AS asked(account_id, region, history_id, digest, forgotten_ms)
       JOIN deduplications USING (account_id, region, history_id, digest)
      WHERE sent_ms > forgotten_ms`,
    texts(rows.map(({ accountId }) => accountId)),
    texts(rows.map(({ region }) => region)),
    texts(rows.map(({ historyId }) => historyId)),
    blobs(rows.map(({ digest }) => digest)),
    integers(rows.map(({ forgottenMs }) => forgottenMs)),
  );
}

async function remember(session: Session, sendings: readonly Sending[]): Promise<void> {
  if (sendings.length === 0) return;
  await session.run(
    `INSERT INTO deduplications
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[],
       $6::int8[], $7::int8[])
     ON CONFLICT (account_id, region, history_id, digest) DO UPDATE
        SET message_id = excluded.message_id, sequence = excluded.sequence,
            sent_ms = excluded.sent_ms`,
    texts(sendings.map(({ accountId }) => accountId)),
    texts(sendings.map(({ region }) => region)),
    texts(sendings.map(({ historyId }) => historyId)),
    blobs(sendings.map(({ message }) => message.deduplication?.[0] ?? null)),
    texts(sendings.map(({ message }) => message.messageId)),
    integers(sendings.map(({ sequence }) => sequence)),
    integers(sendings.map(({ nowMs }) => nowMs)),
  );
}
