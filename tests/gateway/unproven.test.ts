// Goal: whose signature does not hold is told to the log, with where it came from and why, in few
// lines whatever comes; the audit knows nothing of it, and no secret is told. Method: raw requests
// to a whole server whose log is caught; the twin, a good request, tells nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RawTestRequest, startTestServer } from "../harness/server.ts";

test("requests that are not proven are in the log, boundedly, and in no audit", async (t) => {
  const written = t.mock.method(process.stderr, "write", () => true);
  const lines = () =>
    written.mock.calls
      .map(({ arguments: [line] }) => JSON.parse(String(line)))
      .filter(({ message }) => message === "a request is not proven to be its sender's");
  const server = await startTestServer({ flags: { logLevel: "warn", logFormat: "json" } });
  t.after(() => server.stop());
  const list = (more: Partial<RawTestRequest>) =>
    server.send({
      service: "sqs",
      headers: { "content-type": "application/x-www-form-urlencoded", "user-agent": "probe/1" },
      body: "Action=ListQueues&Version=2012-11-05",
      ...more,
    });
  assert.equal((await list({})).status, 200);
  assert.deepEqual(lines(), []);
  const { accessKeyId } = server.root;
  const wrong: readonly [Partial<RawTestRequest>, string, string][] = [
    [{ accessKeyId: "AKIANOBODY" }, "unknown-key", "AKIANOBODY"],
    [{ secretAccessKey: "guessed-secret" }, "bad-signature", accessKeyId],
    [{ date: new Date(Date.now() - 3_600_000) }, "expired", accessKeyId],
  ];
  for (const [index, [more, reason, key]] of wrong.entries()) {
    assert.equal((await list(more)).status, 403);
    const { level, time: _, message: __, ...facts } = lines()[index];
    assert.equal(level, "warn");
    assert.deepEqual(facts, {
      reason,
      accessKeyId: key,
      address: "127.0.0.1",
      userAgent: "probe/1",
    });
  }
  const presigned = new URLSearchParams({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIAQUERY/20260101/us-east-1/sqs/aws4_request",
    "X-Amz-Date": "20260101T000000Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "00",
  });
  await list({ unsigned: true, method: "GET", path: `/?${presigned}`, body: "" });
  assert.equal(lines().at(-1).accessKeyId, "AKIAQUERY");
  for (let n = 0; n < 40; n++) await list({ secretAccessKey: "guessed-secret" });
  const { length } = lines();
  assert.ok(length >= 20 && length < 40, `${length} lines of 44`);
  assert.ok(written.mock.calls.every((call) => !String(call.arguments[0]).includes("guessed")));
  const { Events = [] } = await server.rootClients.cloudtrail.lookupEvents({});
  assert.deepEqual(
    Events.map(({ EventName }) => EventName),
    ["ListQueues"],
  );
});
