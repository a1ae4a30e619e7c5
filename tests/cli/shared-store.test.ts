// Goal: `doctor store` and `store migrate` work on a real PostgreSQL, and say what is wrong where there
// is none. Method: the command line against a cluster of this test; a schema that was migrated
// opens without a step more, and one of another program is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { features } from "../../src/stores/postgres/features.ts";
import { sealpost } from "../backup/scene.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";

test("doctor store asks a database for every feature", async () => {
  const cluster = await sharedCluster();
  const store = cluster.newStoreUrl();
  const asked = await sealpost(["doctor", "store", "--store", store, "--format", "json"], {});
  assert.equal(asked.code, 0, asked.err);
  const report: { missing: string | null }[] = JSON.parse(asked.out);
  assert.equal(report.length, features.length);
  assert.ok(report.every(({ missing }) => missing === null));

  const nobody = await sealpost(["doctor", "store", "--store", "postgres://x@127.0.0.1:1/x"], {});
  assert.equal(nobody.code, 1);
  assert.match(nobody.err, /database/);
  assert.equal((await sealpost(["doctor", "store"], {})).code, 1);
});

test("store migrate makes the schema, and again finds it made", async () => {
  const cluster = await sharedCluster();
  const store = cluster.newStoreUrl();
  for (const _ of [1, 2]) {
    const { code, out, err } = await sealpost(["store", "migrate", "--store", store], {});
    assert.equal(code, 0, err);
    assert.match(out, /schema of this version/);
  }
});
