// Goal: the threads of a server live and end together: a thread that dies ends the server, one that
// does not start fails the start, a stop finishes what any of them has in work, and a port that
// another server shares with its own threads is still occupied.
// Method: whole servers in this process, whose threads are ended by hand or never come up.
import { equal, match, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { readSettings } from "../../src/cli/settings.ts";
import { PortInUse } from "../../src/gateway/port.ts";
import { startServer } from "../../src/main.ts";
import { refusal } from "../harness/server.ts";
import { twoThreads } from "./both.ts";

function settingsFor(t: TestContext, flags: Readonly<Record<string, unknown>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-threads-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const all = { data: folder, port: 0, threads: 2, logLevel: "error", ...flags };
  return readSettings({ flags: all, workingDirectory: folder });
}

/** Further gateway threads that begin in this process from now on. */
function gatewayThreads(t: TestContext): Worker[] {
  const found: Worker[] = [];
  const note = (worker: Worker) => {
    if (worker.threadName?.startsWith("gateway")) found.push(worker);
  };
  process.on("worker", note);
  t.after(() => process.off("worker", note));
  return found;
}

test("a thread that dies ends the server", async (t) => {
  const threads = gatewayThreads(t);
  const server = await startServer(settingsFor(t));
  equal(threads.length, 1);
  await threads[0]?.terminate();
  match((await server.failed).message, /gateway thread 2 ended/);
  await server.stop();
});

test("the twin: threads that were told to stop are no failure", async (t) => {
  gatewayThreads(t);
  const server = await startServer(settingsFor(t));
  await server.stop();
  const nothing = Symbol("nothing");
  equal(await Promise.race([server.failed, Promise.resolve(nothing)]), nothing);
});

test("a stop ends long polls on both threads, with an answer", async () => {
  const { server, both, metric, stop } = await twoThreads();
  const clients = await both();
  const { QueueUrl } = await clients[0].sqs.createQueue({ QueueName: "q" });
  const polls = clients.map(({ sqs }) =>
    refusal(sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 })),
  );
  while ((await metric("sealpost_requests_in_flight")) < 2);
  await server.halt();
  equal((await Promise.all(polls)).filter((each) => each !== undefined).length, 0);
  await stop();
});

test("a port that threads share is occupied for everybody else", async (t) => {
  const server = await startServer(settingsFor(t));
  t.after(() => server.stop());
  const port = Number(new URL(server.httpsUrl).port);
  await rejects(startServer(settingsFor(t, { port })), PortInUse);
  await rejects(startServer(settingsFor(t, { port, threads: 1 })), PortInUse);
});
