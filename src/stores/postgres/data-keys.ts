import { assert } from "../../kernel/errors.ts";
import type { StoredDataKey } from "../../kernel/sealed.ts";
import type { SealingCommand, SealingQuery } from "../../sealing/store.ts";
import { type Acts, each, together } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";
import type { Session } from "./session.ts";

/** Where a data key lies. */
export interface DataKeyPlace {
  readonly accountId: string;
  readonly region: string;
  readonly id: string;
}

export interface DataKeys {
  readonly acts: Acts<SealingCommand | SealingQuery>;
  /** The data keys of these places, each once. One that does not exist is a bug. */
  find(session: Session, places: readonly DataKeyPlace[]): Promise<readonly StoredDataKey[]>;
  /** Something was rolled back: a data key that was read may not be there. */
  reload(): void;
}

/** Remembered at once; data keys never change, and go only when nothing names them any more. */
const knownMax = 20_000;

const columns = `d.id, d.account_id AS "accountId", d.region, d.sealing_arn AS "sealingArn", d.mode,
  d.key_arn AS "keyArn", d.blob, d.created_ms AS "createdMs"`;

const nameOf = ({ accountId, region, id }: DataKeyPlace) => `${accountId}/${region}/${id}`;

/**
 * INVARIANT: whatever names a data key was checked to find it. Sends use keys that are minutes old,
 * and only keys of weeks ago are swept, so what was found once is there as long as it is used.
 */
export function createDataKeys(): DataKeys {
  const known = new Map<string, StoredDataKey>();

  function remember(keys: readonly StoredDataKey[]): void {
    if (known.size + keys.length > knownMax) known.clear();
    for (const key of keys) known.set(nameOf(key), key);
  }

  async function read(session: Session, places: readonly DataKeyPlace[]) {
    return session.all<StoredDataKey>(
      `SELECT ${columns} FROM unnest($1::text[], $2::text[], $3::text[])
           AS asked(account_id, region, id)
         JOIN data_keys AS d USING (account_id, region, id)`,
      texts(places.map(({ accountId }) => accountId)),
      texts(places.map(({ region }) => region)),
      texts(places.map(({ id }) => id)),
    );
  }

  async function find(session: Session, places: readonly DataKeyPlace[]) {
    const asked = new Map(places.map((place) => [nameOf(place), place]));
    const missing = [...asked].filter(([name]) => !known.has(name)).map(([, place]) => place);
    const found = new Map<string, StoredDataKey>();
    if (missing.length > 0) {
      const rows = await read(session, missing);
      for (const row of rows) found.set(nameOf(row), row);
      remember(rows);
    }
    return Array.from(asked.keys(), (name) => {
      const key = found.get(name) ?? known.get(name);
      assert(key, "what is sealed names a data key that is stored");
      return key;
    });
  }

  const acts: Acts<SealingCommand | SealingQuery> = {
    "data-key.put": async (work, commands) => {
      const keys = [...new Map(commands.map((c) => [nameOf(c.dataKey), c.dataKey])).values()];
      // In one order everywhere, so that two processes that put the same ones wait in line.
      await put(
        work,
        keys.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
      );
      return commands.map(() => undefined);
    },
    "data-key.sweep": each(async (work, { createdBeforeMs, rowsMax }) => {
      known.clear();
      return { removed: await sweep(work, createdBeforeMs, rowsMax) };
    }),
    "data-key.get": together(async (work, place) => (await read(work, [place]))[0]),
  };
  return { acts, find, reload: () => known.clear() };
}

async function put(session: Session, keys: readonly StoredDataKey[]): Promise<void> {
  await session.run(
    `INSERT INTO data_keys
       (account_id, region, id, sealing_arn, mode, key_arn, blob, created_ms)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
       $7::bytea[], $8::int8[]) ON CONFLICT DO NOTHING`,
    texts(keys.map(({ accountId }) => accountId)),
    texts(keys.map(({ region }) => region)),
    texts(keys.map(({ id }) => id)),
    texts(keys.map(({ sealingArn }) => sealingArn)),
    texts(keys.map(({ mode }) => mode)),
    texts(keys.map(({ keyArn }) => keyArn)),
    blobs(keys.map(({ blob }) => blob)),
    integers(keys.map(({ createdMs }) => createdMs)),
  );
}

function sweep(session: Session, createdBeforeMs: number, rowsMax: number): Promise<number> {
  return session.run(
    `DELETE FROM data_keys USING (
       SELECT old.account_id, old.region, old.id FROM data_keys AS old
        WHERE created_ms < $1::int8
          AND NOT EXISTS (SELECT 1 FROM message_bodies AS body
                JOIN queues ON queues.number = body.queue
                WHERE body.data_key_id = old.id AND queues.account_id = old.account_id
                  AND queues.region = old.region)
          AND NOT EXISTS (SELECT 1 FROM undelivered
                WHERE undelivered.account_id = old.account_id AND undelivered.region = old.region
                  AND undelivered.data_key_id = old.id)
          AND NOT EXISTS (SELECT 1 FROM topic_archive AS kept
                WHERE kept.account_id = old.account_id AND kept.region = old.region
                  AND kept.data_key_id = old.id)
        LIMIT $2::int8) AS unused
      WHERE data_keys.account_id = unused.account_id AND data_keys.region = unused.region
        AND data_keys.id = unused.id`,
    createdBeforeMs,
    rowsMax,
  );
}
