// Goal: what a store held under the schema before queue numbers is there after it.
// Method: a file is made with the first two steps only and filled by hand, as that version wrote
// it; opened by this one, it is asked through the contract.
import { deepEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { migrate } from "../../src/stores/sqlite/migrate.ts";
import { migrations } from "../../src/stores/sqlite/migrations/index.ts";
import {
  claimFrom,
  commit,
  countsOf,
  insertInto,
  messageNamed,
  queueNamed,
} from "./contract/fixtures.ts";
import { newPath, storeAt } from "./folder.ts";

const applicationId = 0x5345414c;
const digest = new Uint8Array(16).fill(7);
const fifo = { historyId: "orders-history", nowMs: 2000, rememberMs: 300_000 };
const once = { attemptId: undefined, attemptMs: 300_000 };

function oldStore(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId}`);
  migrate(database, migrations.slice(0, 2));
  const scope = "'123456789012', 'us-east-1'";
  database.exec(`INSERT INTO data_keys VALUES (${scope}, 'key-1', 'arn', 'kms', 'k', x'01', 1000);
    INSERT INTO data_keys VALUES (${scope}, 'key-2', 'arn', 'kms', 'k', x'02', 2000)`);
  const put = (queue: string, sequence: number, lane: number, group: string, claim = "") => {
    const receives = claim === "" ? 0 : 1;
    const visibleMs = claim === "" ? 1000 + sequence : 50_000;
    const dataKey = sequence % 2 === 0 ? "key-1" : "key-2";
    database.exec(`INSERT INTO message_bodies VALUES (${scope}, '${queue}', ${sequence},
        'm${sequence}', '${dataKey}', CAST('body${sequence}' AS BLOB), x'aa', '', '', 'me', 10, '');
      INSERT INTO messages VALUES (${scope}, '${queue}', ${sequence}, ${lane}, '${group}',
        ${visibleMs}, ${1000 + sequence}, ${receives}, 0, '${claim}', 1500, ${receives}, '')`);
  };
  const group = (queue: string, id: string, head: number, readyMs: number) =>
    database.exec(
      `INSERT INTO message_groups VALUES (${scope}, '${queue}', '${id}', ${head}, ${readyMs})`,
    );
  put("plain", 1, 0, "");
  put("plain", 2, 0, "", "held");
  put("plain", 3, 1, "tenant");
  group("plain", "tenant", 3, 1003);
  for (const [sequence, id] of [
    [4, "a"],
    [5, "b"],
    [6, "a"],
    [7, "a"],
  ] as const) {
    put("orders", sequence, 2, id);
  }
  group("orders", "a", 4, 1004);
  group("orders", "b", 5, 1005);
  put("gone", 8, 0, "");
  database.exec(`INSERT INTO discarded_queues VALUES (${scope}, 'gone');
    INSERT INTO receive_attempts VALUES (${scope}, 'orders', 'try', 'c0', 1500, 2000, '[4]');
    INSERT INTO deduplications VALUES
      (${scope}, 'orders-history', x'${"07".repeat(16)}', 'm4', 4, 1004);
    INSERT INTO counters VALUES ('sequence', 1000)`);
  database.close();
}

test("messages of each kind come through the step to queue numbers", async (context) => {
  const path = newPath();
  oldStore(path);
  const store = await storeAt(context, path);
  const [plain, orders, gone] = ["plain", "orders", "gone"].map((id) => queueNamed(id));
  if (!plain || !orders || !gone) throw new Error("three queues");

  deepEqual(await store.query(countsOf(plain, 2000)), { visible: 2, inFlight: 1, delayed: 0 });
  const [first] = await commit(store, claimFrom(plain, 2000, "c1"));
  const seen = first.messages.map(({ messageId, dataKeyId, groupId, bytes }) => [
    messageId,
    dataKeyId,
    groupId,
    Buffer.from(bytes).toString(),
  ]);
  deepEqual(seen, [
    ["m1", "key-2", "", "body1"],
    ["m3", "key-2", "tenant", "body3"],
  ]);
  const held = [{ sequence: 2, claimId: "held" }];
  const [deleted] = await commit(store, { kind: "sqs.delete", queue: plain, messages: held });
  deepEqual(deleted, ["deleted"]);

  const again = messageNamed("m9", "key-1", 2000, { groupId: "a", deduplication: [digest] });
  const [placed] = await commit(store, { ...insertInto(orders, again), fifo });
  deepEqual(placed, [{ messageId: "m4", sequence: 4, duplicate: true }]);
  const later = messageNamed("m10", "key-1", 2000, { groupId: "a" });
  await commit(store, { ...insertInto(orders, later), fifo });
  const [inOrder] = await commit(store, claimFrom(orders, 2000, "c2", { fifo: once }));
  deepEqual(
    inOrder.messages.map(({ messageId }) => messageId),
    ["m4", "m6", "m7", "m10", "m5"],
  );

  const [none] = await commit(store, claimFrom(gone, 2000, "c3"));
  deepEqual(none.messages, []);
  const [swept] = await commit(store, { kind: "sqs.sweep", rowsMax: 100 });
  deepEqual(swept, { removed: 1, more: false });
});

test("messages from before the step to fresh messages are received beside later ones", async (context) => {
  const path = newPath();
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId}`);
  migrate(database, migrations.slice(0, 4));
  const plain = queueNamed("plain");
  const place = [plain.accountId, plain.region].map((text) => `'${text}'`).join(", ");
  database.exec(`INSERT INTO queue_numbers VALUES (1, ${place}, '${plain.queueId}');
    INSERT INTO counters VALUES ('sequence', 1000);
    INSERT INTO data_keys VALUES (${place}, 'key-1', 'arn', 'kms', 'k', x'01', 1000, 1)`);
  // Sent at the same time, and one that is held.
  for (const [sequence, visibleMs] of [
    [1, 1000],
    [2, 5000],
    [3, 1000],
  ] as const) {
    database.exec(`INSERT INTO message_bodies VALUES (${sequence}, 1, 1, 1000, '', 'm${sequence}',
        'me', '', '', '', x'aa', x'bb');
      INSERT INTO message_states VALUES (${sequence}, 1, 0, '', ${visibleMs}, 1000, 0, 0, '', 0, 0,
        '', 1)`);
  }
  database.close();
  const store = await storeAt(context, path);
  const received = async (nowMs: number) => {
    const [{ messages }] = await commit(store, claimFrom(plain, nowMs, `c${nowMs}`));
    return messages.map(({ messageId }) => messageId);
  };
  await commit(store, insertInto(plain, messageNamed("m4", "key-1", 1000)));
  await commit(store, insertInto(plain, messageNamed("m5", "key-1", 900)));
  deepEqual(await store.query(countsOf(plain, 2000)), { visible: 4, inFlight: 0, delayed: 1 });
  deepEqual(await received(2000), ["m5", "m1", "m3", "m4"]);
  deepEqual(await received(6000), ["m2"]);
});
