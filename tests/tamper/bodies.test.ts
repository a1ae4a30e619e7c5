// Goal: a stored body opens in its place only: moved to another queue, message or subscription,
// swapped, or changed by one byte, it is withheld for ever while all others are served.
// Method: as in records.test.ts; each edit is made to one message, its neighbours are the twins.
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { bodies, type SceneQueue } from "../encryption/scene.ts";
import type { TestServer } from "../harness/server.ts";
import { type Installation, newInstallation, tampered } from "./scene.ts";

let at: Installation;
before(async () => {
  at = await newInstallation();
});
after(() => at.remove());

interface Place {
  readonly queue: number;
  readonly sequence: number;
}

/** Where the n-th message of a queue lies (from 0, in order of sending). */
function placeOf(database: DatabaseSync, { arn }: SceneQueue, n: number): Place {
  const name = arn.split(":").at(-1) ?? "";
  const record = database
    .prepare("SELECT content FROM records WHERE kind = 'sqs.queue' AND id = ?")
    .get(name);
  const { queueId } = JSON.parse(String(record?.content)) as { queueId: string };
  const rows = database
    .prepare(
      `SELECT queue, sequence FROM message_bodies
        WHERE queue = (SELECT number FROM queue_numbers WHERE queue_id = ?) ORDER BY sequence`,
    )
    .all(queueId);
  return { queue: Number(rows[n]?.queue), sequence: Number(rows[n]?.sequence) };
}

/** Changes columns of one stored body. */
function change(database: DatabaseSync, place: Place, set: string, ...values: never[]): void {
  const sql = `UPDATE message_bodies SET ${set} WHERE queue = ? AND sequence = ?`;
  const { changes } = database.prepare(sql).run(...values, place.queue, place.sequence);
  assert.equal(Number(changes), 1);
}

function columnsOf(database: DatabaseSync, place: Place, ...names: string[]): never[] {
  const sql = `SELECT ${names.join(", ")} FROM message_bodies WHERE queue = ? AND sequence = ?`;
  const row = database.prepare(sql).get(place.queue, place.sequence);
  return names.map((name) => row?.[name] as never);
}

/** What each queue gives after an edit. */
async function given(
  server: TestServer,
): Promise<Readonly<Record<"victim" | "other" | "plain", readonly string[]>>> {
  const { rootClients } = server;
  return {
    victim: await bodies(rootClients, at.victim),
    other: await bodies(rootClients, at.other),
    plain: await bodies(rootClients, at.plain),
  };
}

const untouched = { victim: ["v1", "v2"], other: ["o1"], plain: ["p1", "p2"] };

test("the twin: without an edit every body opens", async () => {
  assert.deepEqual(await tampered(at, () => {}, given), untouched);
});

test("moved to another queue, as it is or under a new sequence", async () => {
  const move = (database: DatabaseSync, to: SceneQueue, from: SceneQueue, n: number) => {
    const place = placeOf(database, from, n);
    const target = placeOf(database, to, 0);
    for (const table of ["message_states", "message_bodies"]) {
      const sql = `UPDATE ${table} SET queue = ? WHERE queue = ? AND sequence = ?`;
      database.prepare(sql).run(target.queue, place.queue, place.sequence);
    }
  };
  const toPlain = await tampered(at, (database) => move(database, at.plain, at.victim, 0), given);
  assert.deepEqual(toPlain, { ...untouched, victim: ["v2"] });
  const fromPlain = await tampered(at, (database) => move(database, at.other, at.plain, 1), given);
  assert.deepEqual(fromPlain, { ...untouched, plain: ["p1"] });
});

test("under another message id", async () => {
  const edit = (database: DatabaseSync) =>
    change(database, placeOf(database, at.victim, 0), "message_id = lower(hex(randomblob(16)))");
  assert.deepEqual(await tampered(at, edit, given), { ...untouched, victim: ["v2"] });
});

for (const queue of ["victim", "plain"] as const) {
  test(`two envelopes swapped in the ${queue} queue, with and without their place MACs`, async () => {
    for (const names of [
      ["bytes", "data_key"],
      ["bytes", "data_key", "place_mac"],
    ]) {
      const edit = (database: DatabaseSync) => {
        const [first, second] = [0, 1].map((n) => placeOf(database, at[queue], n));
        assert.ok(first && second);
        const values = [first, second].map((place) => columnsOf(database, place, ...names));
        const set = names.map((name) => `${name} = ?`).join(", ");
        change(database, first, set, ...(values[1] ?? []));
        change(database, second, set, ...(values[0] ?? []));
      };
      assert.deepEqual(await tampered(at, edit, given), { ...untouched, [queue]: [] });
    }
  });
}

test("a body copied over another queue's body, with all that belongs to it", async () => {
  const edit = (database: DatabaseSync) => {
    const names = ["bytes", "data_key", "place_mac", "message_id"];
    const values = columnsOf(database, placeOf(database, at.victim, 0), ...names);
    const set = names.map((name) => `${name} = ?`).join(", ");
    change(database, placeOf(database, at.plain, 0), set, ...values);
  };
  assert.deepEqual(await tampered(at, edit, given), { ...untouched, plain: ["p2"] });
});

test("one byte flipped in an envelope, wherever", async () => {
  for (const place of [0, 5, 20, 30, -1]) {
    const edit = (database: DatabaseSync) => {
      const where = placeOf(database, at.plain, 1);
      const [bytes] = columnsOf(database, where, "bytes");
      const flipped = Buffer.from(bytes as unknown as Uint8Array);
      const index = place < 0 ? flipped.length + place : place;
      flipped.writeUInt8(flipped.readUInt8(index) ^ 0x80, index);
      change(database, where, "bytes = ?", flipped as never);
    };
    assert.deepEqual(await tampered(at, edit, given), { ...untouched, plain: ["p1"] });
  }
});

/** Edits of the data keys of one queue; all of its messages share one. */
const dataKeyEdits = {
  "a byte of the sealed data key flipped": (database: DatabaseSync, arn: string) => {
    const row = database.prepare("SELECT blob FROM data_keys WHERE sealing_arn = ?").get(arn);
    const blob = Buffer.from(row?.blob as Uint8Array);
    blob.writeUInt8(blob.readUInt8(blob.length - 3) ^ 1, blob.length - 3);
    return database.prepare("UPDATE data_keys SET blob = ? WHERE sealing_arn = ?").run(blob, arn);
  },
  "the name of its queue changed": (database: DatabaseSync, arn: string) =>
    database
      .prepare("UPDATE data_keys SET sealing_arn = sealing_arn || 'x' WHERE sealing_arn = ?")
      .run(arn),
  "its mode changed": (database: DatabaseSync, arn: string) =>
    database
      .prepare(
        `UPDATE data_keys SET mode = CASE mode WHEN 'kms' THEN 'owned' ELSE 'kms' END
          WHERE sealing_arn = ?`,
      )
      .run(arn),
  "another's sealed data key in its place": (database: DatabaseSync, arn: string) =>
    database
      .prepare(
        `UPDATE data_keys SET blob =
           (SELECT blob FROM data_keys WHERE sealing_arn LIKE '%:other') WHERE sealing_arn = ?`,
      )
      .run(arn),
};

for (const [what, edit] of Object.entries(dataKeyEdits)) {
  test(`data keys: ${what}`, async () => {
    for (const queue of ["victim", "plain"] as const) {
      const { arn } = at[queue];
      const make = (database: DatabaseSync) => {
        assert.equal(Number(edit(database, arn).changes), 1);
      };
      const served = await tampered(at, make, async (server) => {
        const { rootClients } = server;
        const [first, second] = queue === "victim" ? [at.plain, at.other] : [at.victim, at.other];
        const others = [
          ...(await bodies(rootClients, first)),
          ...(await bodies(rootClients, second)),
        ];
        // A data key that KMS does not know is a refusal; one that is broken is withheld.
        const own = await bodies(rootClients, at[queue]).catch((error: Error) => [error.name]);
        return { others, leaked: own.filter((body) => /^[vpo]\d$/.test(body)) };
      });
      const others = queue === "victim" ? ["p1", "p2", "o1"] : ["v1", "v2", "o1"];
      assert.deepEqual(served, { others, leaked: [] });
    }
  });
}

/** The given-up notification is made due again, as whoever writes to the file could do. */
async function redelivered(edit: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const make = (database: DatabaseSync) => {
    const sql = `UPDATE undelivered SET next_attempt_ms = 1${edit}`;
    assert.equal(Number(database.prepare(sql).run().changes), 1);
  };
  return tampered(at, make, async (server) => {
    await server.advance(61);
    const { rootClients } = server;
    return {
      refusing: await bodies(rootClients, at.refusing.queue),
      late: await bodies(rootClients, at.late.queue),
      elsewhere: await bodies(rootClients, at.elsewhere.queue),
      plain: await bodies(rootClients, at.plain),
    };
  });
}

test("an undelivered notification reaches its own subscription only", async () => {
  const nobody = { refusing: [], late: [], elsewhere: [], plain: untouched.plain };
  assert.deepEqual(await redelivered(""), { ...nobody, refusing: ["u1"] }, "the twin");
  const to = (subscription: string) => `, subscription_arn = '${subscription}'`;
  assert.deepEqual(await redelivered(to(at.late.subscription)), nobody, "same topic");
  const moved = to(at.elsewhere.subscription);
  assert.deepEqual(await redelivered(moved), nobody, "another topic's subscription");
  const asOther = `${moved}, topic_arn = '${at.otherTopic}'`;
  assert.deepEqual(await redelivered(asOther), nobody, "with that topic's name");
  assert.deepEqual(await redelivered(", message_id = 'another'"), nobody);
  assert.deepEqual(await redelivered(", bytes = zeroblob(length(bytes))"), nobody);
  assert.deepEqual(await redelivered(", metadata = 'nonsense'"), nobody);
});
