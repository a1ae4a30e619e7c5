// Goal: the list of what the shared store asks of a database is true, and its page says the same.
// Method: every feature is probed on a real PostgreSQL; the twin probes what no database has. The
// page is compared with the list, and the sources with the list's key words.
import { deepEqual, equal } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { features } from "../../src/stores/postgres/features.ts";
import { probeDatabase } from "../../src/stores/postgres/probe.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("PostgreSQL has all of them, and nothing is left behind", async () => {
  const cluster = await sharedCluster();
  const probed = await probeDatabase(cluster.url);
  deepEqual(
    probed.filter(({ missing }) => missing !== undefined),
    [],
  );
  equal(probed.length, features.length);
  const left = await cluster.sql("SELECT relname FROM pg_class WHERE relname LIKE 'probe%'");
  deepEqual(left, []);
});

test("the page lists them, in order", () => {
  const page = readFileSync(`${root}/docs/decisions/0023-postgresql.md`, "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| "));
  const listed = rows.slice(1).map((row) => row.split("|")[1]?.trim());
  deepEqual(
    listed,
    features.map(({ name }) => name),
  );
});

test("no statement uses what is not on the list", () => {
  // Words of features that other databases often lack; each must not creep in unseen.
  const unlisted = /\b(MERGE|COPY|TABLESAMPLE|DISTINCT ON|GROUPING SETS|CREATE TRIGGER|plpgsql)\b/;
  const files = globSync("src/stores/postgres/**/*.ts", { cwd: root });
  equal(files.length > 30, true);
  const wrong = files.filter((file) => unlisted.test(readFileSync(`${root}/${file}`, "utf8")));
  deepEqual(wrong, []);
});
