// Goal: what a trail selects goes out as files that are sealed, complete and digested, on the
// service clock. Method: a whole server; its files are read with `sealpost trail cat` and compared
// with what was done.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { cat, filesOf, recordsOf, verify } from "./scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

test("log files hold each selected event once, under AWS's names", async () => {
  const { cloudtrail, sns } = server.rootClients;
  await cloudtrail.createTrail({
    Name: "main",
    S3BucketName: "audit-bucket",
    EnableLogFileValidation: true,
  });
  await sns.createTopic({ Name: "before-the-start" });
  await cloudtrail.startLogging({ Name: "main" });
  await sns.createTopic({ Name: "one" });
  await server.advance(299);
  assert.deepEqual(filesOf(server, "main"), []);
  await server.advance(2);
  const [file, ...others] = filesOf(server, "main");
  assert.ok(file);
  assert.deepEqual(others, []);
  assert.match(
    file,
    /^AWSLogs\/123456789012\/CloudTrail\/us-east-1\/\d{4}\/\d\d\/\d\d\/123456789012_CloudTrail_us-east-1_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz$/,
  );
  const records = await recordsOf(server, "main");
  assert.deepEqual(
    records.map(({ eventName }) => eventName),
    ["StartLogging", "CreateTopic"].slice(1),
  );
  const status = await cloudtrail.getTrailStatus({ Name: "main" });
  assert.equal(status.IsLogging, true);
  assert.equal(status.LatestDeliveryError, undefined);
  assert.ok(status.LatestDeliveryTime);
});

test("files are sealed, and a changed one does not open", async () => {
  const [file = ""] = filesOf(server, "main");
  const path = join(server.dataFolder, "trails", "main", file);
  const bytes = readFileSync(path);
  assert.equal(bytes.subarray(0, 4).toString(), "SPTF");
  assert.equal(bytes.includes("CreateTopic"), false);
  assert.match((await cat(server, [path])).out, /CreateTopic/);
});

test("hourly digests, also of an hour without files; verify-trail accepts them", async () => {
  await server.advance(3600 * 3);
  const digests = filesOf(server, "main").filter((file) => file.includes("CloudTrail-Digest"));
  assert.equal(digests.length, 3);
  const report = await verify(server);
  assert.deepEqual([report.code, report.err], [0, ""]);
  assert.match(report.out, /3\/3 digest files valid/);
});
