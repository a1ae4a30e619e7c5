// Goal: `sealpost store compact` shrinks the file of a stopped server and of a running one, tells
// how far it is, and the messages stay. Method: a server of its own, whose file is filled and
// emptied; the twin is the size before.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../gateway/support.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { run } from "./support.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const size = () => statSync(join(server.dataFolder, "sealpost.db")).size;

async function compact(...argv: string[]) {
  const all = ["store", "compact", "--data", server.dataFolder, ...argv];
  const io = { now: () => Date.now() };
  return run(all, { workingDirectory: server.dataFolder, io });
}

/** Leaves 20 MB of free space behind (more than the log holds), and one message. */
async function fillAndPurge(): Promise<string> {
  const { sqs } = server.rootClients;
  const name = `q${size()}`;
  const { QueueUrl } = await sqs.createQueue({ QueueName: name });
  for (let n = 0; n < 20; n++) {
    await sqs.sendMessage({ QueueUrl, MessageBody: "x".repeat(1_000_000) });
  }
  await sqs.purgeQueue({ QueueUrl });
  await sqs.sendMessage({ QueueUrl, MessageBody: "kept" });
  return name;
}

async function keptIn(QueueName: string): Promise<string | undefined> {
  const { sqs } = server.rootClients;
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName });
  const { Messages } = await sqs.receiveMessage({ QueueUrl });
  return Messages?.[0]?.Body;
}

test("beside a running server", async () => {
  const name = await fillAndPurge();
  const full = size();
  const { code, out, err } = await compact();
  assert.equal(code, 0, err);
  assert.match(out, /^compacted: \d+\.\d MiB, of them 0\.0 MiB free\n$/);
  assert.match(err, /MiB free\n/, "each step is told");
  assert.ok(size() < full - 9_000_000, `${full} before, ${size()} after`);
  assert.equal(await keptIn(name), "kept");
});

test("on the folder of a stopped one", async () => {
  const name = await fillAndPurge();
  await server.halt();
  const full = size();
  const { code, out, err } = await compact("--format", "json");
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out), { fileBytes: size(), freeBytes: 0 });
  assert.ok(size() < full - 9_000_000);
  server = await server.restart();
  assert.equal(await keptIn(name), "kept");
});

test("where there is no folder, it says so", async (t) => {
  const folder = temporaryFolder(t);
  const { code, err } = await run(["store", "compact", "--data", folder], {
    workingDirectory: folder,
  });
  assert.equal(code, 1);
  assert.match(err, /there is no data folder at/);
});
