// Goal: an event history that an older version indexed event by event is found through segments.
// Method: a file is made with the first four steps only and filled as that version wrote it, among
// it a row that is no event; opened by this one, it is asked everything and written on.
import { deepEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { migrate } from "../../src/stores/sqlite/migrate.ts";
import { migrations } from "../../src/stores/sqlite/migrations/index.ts";
import { accountId, region } from "./contract/fixtures.ts";
import { compareLookups, longHistory, type Written } from "./contract/long-history.ts";
import { newPath, storeAt } from "./folder.ts";

const applicationId = 0x5345414c;

function oldStore(path: string, events: readonly Written[]): void {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId}`);
  migrate(database, migrations.slice(0, 4));
  const put = database.prepare(
    "INSERT INTO audit_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, x'00')",
  );
  database.exec("BEGIN");
  for (const { number, timeMs, resources, ...event } of events) {
    const { eventId, eventName, eventSource, username, accessKeyId, readOnly } = event;
    const named = JSON.stringify(resources.map(({ type, name }) => [type, name]));
    put.run(
      ...[accountId, region, number, timeMs, eventId, eventName, eventSource],
      ...[username, accessKeyId, readOnly ? 1 : 0, named, "{}"],
    );
  }
  put.run(accountId, "eu-west-1", 1, 1, "forged", "", "", "", "", 0, "no JSON", "{}");
  database.exec("COMMIT");
  database.close();
}

test("events of before the step are found after it", async (context) => {
  const path = newPath();
  const events = longHistory();
  oldStore(path, events);
  const store = await storeAt(context, path);
  await compareLookups(store, events);
  await store.close();
  const database = new DatabaseSync(path, { readOnly: true });
  const segments = database.prepare("SELECT region, segment FROM audit_segments").all();
  deepEqual(
    segments.map(({ region: of, segment }) => [of, segment]),
    [
      [region, 0],
      [region, 1],
    ],
  );
});
