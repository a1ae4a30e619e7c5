// Goal: the embedded store keeps the contract that every store keeps.
// Method: the shared suite against a file and against memory, a fresh store for each test.
import { silentLog } from "../../src/kernel/log.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { testStoreContract } from "./contract/run.ts";
import { newPath } from "./folder.ts";

testStoreContract("sqlite file", () => openSqliteStore({ path: newPath(), log: silentLog }));
testStoreContract("sqlite memory", () => openSqliteStore({ path: ":memory:", log: silentLog }));
