import {
  type ChainKey,
  chainHash,
  chainStart,
  historyFacts,
  waitingFacts,
} from "../../crypto/chain.ts";
import { assert } from "../../kernel/errors.ts";
import type {
  AppendEvents,
  AuditEvent,
  HistoryFacts,
  UnlockAudit,
} from "../../services/cloudtrail/store.ts";
import { type NewBatch, waitingBatches } from "../../services/cloudtrail/store-batches.ts";
import { type Acts, allDone, each, type Work } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";

interface ChainLane {
  readonly accountId: string;
  readonly region: string;
  /** "": the history; otherwise a trail. */
  readonly lane: string;
}

interface Head extends ChainLane {
  number: number;
  hash: Uint8Array;
}

/** An event of the history, or a batch of events for a trail, with its place in the chain. */
type Linked<Of> = Of & { readonly number: number; readonly hash: Uint8Array };

type HistoryEvent = Omit<AuditEvent, "history" | "trails" | "record"> &
  HistoryFacts & { readonly record: string };

const nameOf = ({ accountId, region, lane }: ChainLane) => `${accountId}/${region}/${lane}`;

/**
 * Writing of events. The row of a chain's head is its lock: it is taken last in a transaction, so
 * that processes wait for each other's commits and nothing more.
 */
export function appendActs(): Acts<UnlockAudit | AppendEvents> {
  let present: ChainKey | undefined;
  return {
    "audit.unlock": each(async (_work, { version, key }) => {
      present = { version, key };
      return undefined;
    }),
    "audit.append": async (work, commands) => {
      const events = commands.flatMap((command) => command.events);
      if (events.length > 0) {
        assert(present, "the audit is unlocked before its first event");
        await append(work, events, present);
      }
      return commands.map(() => undefined);
    },
  };
}

async function append(work: Work, events: readonly AuditEvent[], key: ChainKey): Promise<void> {
  const ofHistory = events.flatMap(({ history, trails: _trails, ...event }) =>
    history === undefined
      ? []
      : [{ ...event, ...history, record: event.record.join(""), lane: "" }],
  );
  const batches = waitingBatches(events);
  if (ofHistory.length + batches.length === 0) return;
  const heads = await lockHeads(work, [...ofHistory, ...batches]);
  const link = <Of extends ChainLane>(
    at: Of,
    facts: readonly unknown[],
    record: string | Uint8Array,
  ): Linked<Of> => {
    const head = heads.get(nameOf(at));
    assert(head, "a chain that is written to has a head");
    const { accountId, region, lane } = at;
    head.number += 1;
    const place = { accountId, region, lane, number: head.number };
    head.hash = chainHash(key, place, head.hash, facts, record);
    return { ...at, number: head.number, hash: head.hash };
  };
  const history = ofHistory.map((event) => link(event, historyFacts(event), event.record));
  const waiting = batches.map((batch) => link(batch, waitingFacts(batch), batch.records));
  await allDone([
    ...(history.length > 0 ? [putHistory(work, history, key), putResources(work, history)] : []),
    ...(waiting.length > 0 ? [putWaiting(work, waiting, key)] : []),
    moveHeads(work, [...heads.values()]),
  ]);
}

async function lockHeads(work: Work, lanes: readonly ChainLane[]): Promise<Map<string, Head>> {
  const unique = [...new Map(lanes.map((lane) => [nameOf(lane), lane]))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, lane]) => lane);
  const rows = await work.all<Head>(
    `INSERT INTO audit_chains AS chain
     SELECT account_id, region, lane, 0, $4::bytea
       FROM unnest($1::text[], $2::text[], $3::text[]) AS asked(account_id, region, lane)
     ON CONFLICT (account_id, region, lane) DO UPDATE SET number = chain.number
     RETURNING account_id AS "accountId", region, lane, number, hash`,
    texts(unique.map(({ accountId }) => accountId)),
    texts(unique.map(({ region }) => region)),
    texts(unique.map(({ lane }) => lane)),
    chainStart,
  );
  return new Map(rows.map((row) => [nameOf(row), row]));
}

async function moveHeads(work: Work, heads: readonly Head[]): Promise<void> {
  await work.run(
    `UPDATE audit_chains AS chain SET number = moved.number, hash = moved.hash
       FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::bytea[])
         AS moved(account_id, region, lane, number, hash)
      WHERE chain.account_id = moved.account_id AND chain.region = moved.region
        AND chain.lane = moved.lane`,
    texts(heads.map(({ accountId }) => accountId)),
    texts(heads.map(({ region }) => region)),
    texts(heads.map(({ lane }) => lane)),
    integers(heads.map(({ number }) => number)),
    blobs(heads.map(({ hash }) => hash)),
  );
}

/** A row that is there already lies beyond the head, so somebody else wrote it: it is no event. */
async function putHistory(
  work: Work,
  events: readonly Linked<HistoryEvent>[],
  key: ChainKey,
): Promise<void> {
  await work.run(
    `INSERT INTO audit_events
     SELECT account_id, region, number, time_ms, event_id, event_name, event_source, username,
            access_key_id, read_only = 1, resources, record, $13::int8, hash
       FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::text[], $6::text[],
              $7::text[], $8::text[], $9::text[], $10::int8[], $11::text[], $12::text[],
              $14::bytea[])
         AS it(account_id, region, number, time_ms, event_id, event_name, event_source, username,
               access_key_id, read_only, resources, record, hash)
     ON CONFLICT (account_id, region, number) DO UPDATE
        SET time_ms = excluded.time_ms, event_id = excluded.event_id,
            event_name = excluded.event_name, event_source = excluded.event_source,
            username = excluded.username, access_key_id = excluded.access_key_id,
            read_only = excluded.read_only, resources = excluded.resources,
            record = excluded.record, key_version = excluded.key_version, hash = excluded.hash`,
    texts(events.map(({ accountId }) => accountId)),
    texts(events.map(({ region }) => region)),
    integers(events.map(({ number }) => number)),
    integers(events.map(({ timeMs }) => timeMs)),
    texts(events.map(({ eventId }) => eventId)),
    texts(events.map(({ eventName }) => eventName)),
    texts(events.map(({ eventSource }) => eventSource)),
    texts(events.map(({ username }) => username)),
    texts(events.map(({ accessKeyId }) => accessKeyId)),
    integers(events.map(({ readOnly }) => (readOnly ? 1 : 0))),
    texts(
      events.map(({ resources }) =>
        JSON.stringify(resources.map(({ type, name }) => [type, name])),
      ),
    ),
    texts(events.map(({ record }) => record)),
    key.version,
    blobs(events.map(({ hash }) => hash)),
  );
}

async function putResources(work: Work, events: readonly Linked<HistoryEvent>[]): Promise<void> {
  const rows = events.flatMap(({ accountId, region, timeMs, number, resources }) =>
    resources.map((resource) => ({ accountId, region, timeMs, number, ...resource })),
  );
  if (rows.length === 0) return;
  await work.run(
    `INSERT INTO audit_resources
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::text[])
     ON CONFLICT DO NOTHING`,
    texts(rows.map(({ accountId }) => accountId)),
    texts(rows.map(({ region }) => region)),
    texts(rows.map(({ name }) => name)),
    integers(rows.map(({ timeMs }) => timeMs)),
    integers(rows.map(({ number }) => number)),
    texts(rows.map(({ type }) => type)),
  );
}

async function putWaiting(
  work: Work,
  batches: readonly Linked<NewBatch>[],
  key: ChainKey,
): Promise<void> {
  await work.run(
    `INSERT INTO trail_batches
     SELECT account_id, region, trail, number, event_region, oldest_ms, newest_ms, records,
            $9::int8, hash
       FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::int8[],
              $7::int8[], $8::bytea[], $10::bytea[])
         AS it(account_id, region, trail, number, event_region, oldest_ms, newest_ms, records, hash)
     ON CONFLICT (account_id, region, trail, number) DO UPDATE
        SET event_region = excluded.event_region, oldest_ms = excluded.oldest_ms,
            newest_ms = excluded.newest_ms, records = excluded.records,
            key_version = excluded.key_version, hash = excluded.hash`,
    texts(batches.map(({ accountId }) => accountId)),
    texts(batches.map(({ region }) => region)),
    texts(batches.map(({ lane }) => lane)),
    integers(batches.map(({ number }) => number)),
    texts(batches.map(({ eventRegion }) => eventRegion)),
    integers(batches.map(({ oldestMs }) => oldestMs)),
    integers(batches.map(({ newestMs }) => newestMs)),
    blobs(batches.map(({ records }) => records)),
    key.version,
    blobs(batches.map(({ hash }) => hash)),
  );
}
