/**
 * Makes so many transactions and exits; run under strace, which counts the syncs. The database is
 * opened as the store thread opens it. Arguments: path, transactions, `off` to turn syncing off.
 */
import { openDatabase } from "../../../src/stores/sqlite/database.ts";
import { createGroupCommit } from "../../../src/stores/sqlite/group.ts";
import { dataKeyNamed, insertInto, messageNamed, queueNamed } from "../contract/fixtures.ts";

const [, , path = "", transactions = "0", sync = "full"] = process.argv;
const database = openDatabase(path);
if (sync === "off") database.exec("PRAGMA synchronous = OFF");
const carryOut = createGroupCommit(database);
const dataKey = { kind: "data-key.put", dataKey: dataKeyNamed("key-1") } as const;
for (let turn = 0; turn < Number(transactions); turn += 1) {
  const insert = insertInto(queueNamed("q"), messageNamed(`m${turn}`, "key-1", 1));
  const request = { decidedUnder: [], commands: [dataKey, insert] };
  const [answer] = carryOut([
    { kind: "commit", request },
    { kind: "commit", request: { decidedUnder: [], commands: [] } },
  ]);
  if (answer?.kind !== "value") throw new Error(JSON.stringify(answer));
}
