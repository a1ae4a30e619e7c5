import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { textReply } from "../../src/gateway/refusals.ts";
import { echo, rawClient, signalled, testGateway } from "./support.ts";

// Goal: a stop loses no request in work and hangs on none; a client that leaves is noticed.
// Method: requests are held open by promises of the test while the gateway stops.

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

test("a stop finishes requests in work, ends long polls and idle connections", async (t) => {
  const release = signalled();
  const started = { work: signalled(), poll: signalled() };
  const gateway = await testGateway(t, {
    limits: { stopMs: 10_000 },
    handler: echo(async ({ path, signal }) => {
      if (path === "/work") {
        started.work.resolve();
        await release.promise;
      }
      if (path === "/poll") {
        started.poll.resolve();
        await once(signal, "abort");
      }
      return textReply(200, `done ${path}`);
    }),
  });
  const idle = rawClient(t, gateway.port);
  idle.socket.write(get("/idle"));
  await idle.until("done /idle");
  const [work, poll, silent] = [1, 2, 3].map(() => rawClient(t, gateway.port));
  assert.ok(work && poll && silent);
  work.socket.write(get("/work"));
  poll.socket.write(get("/poll"));
  await Promise.all([started.work.promise, started.poll.promise]);

  let stopped = false;
  const stopping = gateway.stop().then(() => {
    stopped = true;
  });
  await idle.closed;
  assert.match(await poll.closed, /connection: close[\s\S]*done \/poll/i);
  const late = connect({ port: gateway.port, host: "127.0.0.1" });
  const [error] = await once(late, "error");
  assert.equal(error.code, "ECONNREFUSED");
  assert.equal(stopped, false, "the stop waits for the request in work");
  release.resolve();
  assert.match(await work.closed, /done \/work/);
  await stopping;
  await silent.closed;
});

test("a request that never ends is cut when the time for the stop is over", async (t) => {
  const started = signalled();
  const gateway = await testGateway(t, {
    limits: { stopMs: 30 },
    handler: echo(() => {
      started.resolve();
      return new Promise(() => {});
    }),
  });
  const client = rawClient(t, gateway.port);
  client.socket.write(get("/"));
  await started.promise;
  await gateway.stop();
  assert.equal(await client.closed, "");
});

test("a client that leaves in a long poll aborts its signal", async (t) => {
  const started = signalled();
  const aborted = signalled();
  const { port } = await testGateway(t, {
    handler: echo(async ({ signal }) => {
      started.resolve();
      await once(signal, "abort");
      aborted.resolve();
      return textReply(200, "nobody hears it");
    }),
  });
  for (const secure of [false, true]) {
    const client = rawClient(t, port, secure);
    client.socket.write(get("/"));
    await started.promise;
    client.socket.destroy();
    await aborted.promise;
  }
});

test("twin: the signal of a client that stays is not aborted", async (t) => {
  const signals: AbortSignal[] = [];
  const { port } = await testGateway(t, {
    handler: echo(async ({ signal }) => {
      signals.push(signal);
      return textReply(200, "heard");
    }),
  });
  const client = rawClient(t, port);
  client.socket.write(get("/"));
  await client.until("heard");
  client.socket.write(get("/"));
  await client.until("heard\nHTTP/1.1 200");
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, false],
  );
});

test("an upload that breaks off is never handled and gives its room back", async (t) => {
  const handled: number[] = [];
  const { port } = await testGateway(t, {
    limits: { unauthenticatedBytesMax: 1000, waitingMs: 60_000 },
    handler: echo(async (_exchange, body) => {
      handled.push(body.length);
      return textReply(200, "handled");
    }),
  });
  const broken = rawClient(t, port);
  broken.socket.write(
    "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
  );
  await broken.until("100 Continue");
  broken.socket.write("x".repeat(500));
  const next = rawClient(t, port);
  next.socket.write(
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n${"y".repeat(1000)}`,
  );
  broken.socket.destroy();
  await next.until("handled");
  assert.deepEqual(handled, [1000]);
});
