/**
 * Goal: a connection on the direct lane behaves as one of node:http does. Method: a bare client
 * that sends requests in one piece each; handlers that answer what node:http would mind.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { HttpReply } from "../../src/gateway/exchange.ts";
import { echo, rawClient, signalled, statusOf, testGateway } from "./support.ts";

const request = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const reply = (body: HttpReply["body"], headers = {}): HttpReply => ({
  status: 200,
  headers,
  body,
});

for (const secure of [false, true]) {
  test(`answers carry length, the clock's date and keep-alive${secure ? " (TLS)" : ""}`, async (t) => {
    const systemClock = { now: () => Date.UTC(2031, 4, 6, 7, 8, 9) };
    const handler = echo(async () => reply("grüße"));
    const gateway = await testGateway(t, { systemClock, handler });
    const client = rawClient(t, gateway.port, secure);
    if (secure) await once(client.socket, "secureConnect");
    client.socket.write(request("/"));
    const answer = await client.until("\r\n\r\ngr\xc3\xbc\xc3\x9fe");
    assert.equal(statusOf(answer), 200);
    assert.match(answer, /\r\nDate: Tue, 06 May 2031 07:08:09 GMT\r\n/);
    assert.match(answer, /\r\ncontent-length: 7\r\n/);
    assert.match(answer, /\r\nKeep-Alive: timeout=65\r\n/);
  });
}

test("a header that would end the head is never sent", async (t) => {
  const handler = echo(async (exchange) =>
    exchange.path === "/foul" ? reply("", { "x-a": "b\r\nset-cookie: c" }) : reply("fair"),
  );
  const gateway = await testGateway(t, { handler });
  const client = rawClient(t, gateway.port);
  client.socket.write(request("/foul"));
  const answer = await client.until("internal");
  assert.equal(statusOf(answer), 500);
  assert.doesNotMatch(answer, /set-cookie/);
  client.socket.write(request("/"));
  await client.until("fair");
});

test("who does not read its answers is not served further", async (t) => {
  let served = 0;
  const handler = echo(async () => {
    served += 1;
    return reply(Buffer.alloc(4 * 1024 * 1024, "a"));
  });
  const gateway = await testGateway(t, { handler });
  const client = rawClient(t, gateway.port);
  client.socket.pause();
  const other = rawClient(t, gateway.port);
  for (let round = 0; round < 8; round += 1) {
    client.socket.write(request("/"));
    // Served by the same thread: whatever came before it has been looked at.
    other.socket.write(request(`/${round}`));
    const before = other.received().length;
    while (other.received().length < before + 4 * 1024 * 1024) await once(other.socket, "data");
  }
  assert.ok(served - 8 <= 2, `${served - 8} answers were made for one that was not read`);
  client.socket.resume();
  while (client.received().length < 8 * 4 * 1024 * 1024) await once(client.socket, "data");
  assert.equal(served, 16);
});

test("a request that comes while another is in work waits for it", async (t) => {
  const first = signalled();
  const order: string[] = [];
  const handler = echo(async ({ path }) => {
    if (path === "/1") await first.promise;
    order.push(path);
    return reply(`answer of ${path}`);
  });
  const gateway = await testGateway(t, { handler });
  const client = rawClient(t, gateway.port);
  const other = rawClient(t, gateway.port);
  client.socket.write(request("/1"));
  other.socket.write(request("/a"));
  await other.until("answer of /a");
  client.socket.write(request("/2"));
  other.socket.write(request("/b"));
  await other.until("answer of /b");
  first.resolve();
  const answers = await client.until("answer of /2");
  assert.ok(answers.indexOf("answer of /1") < answers.indexOf("answer of /2"));
  assert.deepEqual(order, ["/a", "/b", "/1", "/2"]);
});

test("a sequence is sent as it comes; one that fails is seen to be cut", async (t) => {
  async function* parts(fails: boolean) {
    yield Buffer.from("one ");
    if (fails) throw new Error("the second part is missing");
    yield Buffer.alloc(0);
    yield Buffer.from("two");
  }
  const handler = echo(async ({ path }) => ({
    status: 200,
    headers: {},
    body: parts(path === "/fails"),
  }));
  const gateway = await testGateway(t, { handler });
  const fetched = await fetch(`http://127.0.0.1:${gateway.port}/`);
  assert.equal(await fetched.text(), "one two");
  const client = rawClient(t, gateway.port);
  client.socket.write(request("/fails"));
  const answer = await client.closed;
  assert.match(answer, /transfer-encoding: chunked/);
  assert.doesNotMatch(answer, /\r\n0\r\n/);
});

test("a request whose sender leaves before it is looked at is not counted for ever", async (t) => {
  const handler = echo(async () => reply("fair"));
  const gateway = await testGateway(t, { handler });
  for (let round = 0; round < 50; round += 1) {
    const leaving = rawClient(t, gateway.port);
    leaving.socket.write(request("/"), () => leaving.socket.resetAndDestroy());
    await once(leaving.socket, "close");
  }
  const staying = rawClient(t, gateway.port);
  staying.socket.write(request("/"));
  await staying.until("fair");
  assert.equal(gateway.requestsInFlight(), 0);
});
