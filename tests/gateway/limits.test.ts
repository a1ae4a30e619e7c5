import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { bodyBudget } from "../../src/gateway/body-budget.ts";
import { defaultLimits } from "../../src/gateway/limits.ts";
import { networkOf } from "../../src/gateway/peer.ts";
import { textReply } from "../../src/gateway/refusals.ts";
import { echo, rawClient, signalled, statusOf, testGateway } from "./support.ts";

// Goal: no sender can make the server hold more bytes, connections or time than it allows.
// Method: bare sockets break one limit each, limits and times being settings in small numbers; a
// twin with the limit lifted shows that the limit is what answered.

const head = "POST / HTTP/1.1\r\nHost: h\r\n";

test("a body announced with 64 GiB is refused before it is read", async (t) => {
  const { port } = await testGateway(t);
  const client = rawClient(t, port);
  client.socket.write(`${head}Content-Length: ${64 * 1024 ** 3}\r\n\r\nabc`);
  assert.equal(statusOf(await client.closed), 413);
});

test("twin: with the limits lifted the same announcement is admitted", async (t) => {
  const lifted = Number.MAX_SAFE_INTEGER;
  const admitted = signalled();
  const { port } = await testGateway(t, {
    limits: {
      bodyBytesMax: lifted,
      unauthenticatedBytesMax: lifted,
      unauthenticatedLargeBytesMax: lifted,
      largeBytesMax: lifted,
    },
    handler: {
      ...echo(),
      admit() {
        admitted.resolve();
        return { bodyBytesMax: lifted, context: undefined };
      },
    },
  });
  const client = rawClient(t, port);
  client.socket.write(`${head}Expect: 100-continue\r\nContent-Length: ${64 * 1024 ** 3}\r\n\r\n`);
  await admitted.promise;
  await client.until("100 Continue");
});

test("a chunked body is cut at the limit; one byte less is served", async (t) => {
  const { port } = await testGateway(t, { limits: { bodyBytesMax: 1000 } });
  for (const [bytes, status] of [
    [1000, 200],
    [1001, 413],
  ] as const) {
    const client = rawClient(t, port);
    client.socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < bytes; sent++) client.socket.write("1\r\nx\r\n");
    client.socket.write("0\r\n\r\n");
    assert.equal(statusOf(await client.until("HTTP/1.1 ")), status);
  }
});

test("a refused client that goes on sending still hears why", async (t) => {
  const { port } = await testGateway(t, { limits: { bodyBytesMax: 1000 } });
  for (const secure of [false, true]) {
    const client = rawClient(t, port, secure);
    client.socket.write(`${head}Content-Length: 3000000\r\n\r\n`);
    client.socket.write(Buffer.alloc(3_000_000));
    assert.equal(statusOf(await client.closed), 413);
  }
});

test("silent connections and slow heads are cut; others live on", async (t) => {
  const slow = { headerMs: 60, headerCheckMs: 10 };
  const strict = await testGateway(t, { limits: slow });
  const patient = await testGateway(t);
  const bytes = ["", "GET / HTTP/1.1\r\nHo", "\x16\x03\x01"];
  const twins = bytes.map((text) => {
    const client = rawClient(t, patient.port);
    client.socket.write(text);
    return client;
  });
  for (const text of bytes) {
    const client = rawClient(t, strict.port);
    client.socket.write(text);
    const answer = await client.closed;
    if (text.startsWith("GET")) assert.equal(statusOf(answer), 408);
  }
  // Twin: with the usual limits the same senders are still connected.
  for (const twin of twins) assert.equal(twin.socket.destroyed, false);
});

test("a slow head on a connection that was served before is cut as well", async (t) => {
  const { port } = await testGateway(t, { limits: { headerMs: 60, headerCheckMs: 10 } });
  const client = rawClient(t, port);
  client.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.until("GET /");
  client.socket.write("GET / HT");
  assert.match(await client.closed, /HTTP\/1\.1 408/);
});

test("a body below the least rate is cut; one above it is served", async (t) => {
  const { port } = await testGateway(t, {
    limits: { bodyWindowMs: 40, bodyBytesPerWindowMin: 10, lingerMs: 20 },
  });
  const stalled = rawClient(t, port);
  stalled.socket.write(`${head}Content-Length: 1000\r\n\r\nabc`);
  const steady = rawClient(t, port);
  steady.socket.write(`${head}Content-Length: 1000\r\n\r\n`);
  // Twin: ten bytes whenever the timer of the test runs, which is often enough for the rate.
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < 900) steady.socket.write("x".repeat(10));
    sent += sent < 900 ? 10 : 0;
  }, 4);
  t.after(() => clearInterval(timer));
  assert.equal(statusOf(await stalled.closed), 408);
  assert.equal(steady.socket.destroyed, false);
  clearInterval(timer);
  steady.socket.write("x".repeat(1000 - sent));
  await steady.until("POST /  1000");
});

test("bodies of unproven senders wait for room, and are refused when the line is full", async (t) => {
  const { port } = await testGateway(t, {
    limits: { unauthenticatedBytesMax: 1000, waitingMax: 1 },
  });
  const holder = rawClient(t, port);
  holder.socket.write(`${head}Expect: 100-continue\r\nContent-Length: 900\r\n\r\n`);
  await holder.until("100 Continue");
  const waiter = rawClient(t, port);
  waiter.socket.write(`${head}Content-Length: 800\r\n\r\n${"y".repeat(800)}`);
  // The third is refused only if the second stands in line, so this also waits for it.
  const refused = rawClient(t, port);
  refused.socket.write(`${head}Content-Length: 700\r\n\r\n${"z".repeat(700)}`);
  const answers = [waiter, refused].map((client) => client.until("HTTP/1.1"));
  assert.equal(statusOf(await Promise.race(answers)), 503);
  holder.socket.write("x".repeat(900));
  await holder.until("POST /  900");
  // Twin: once there is room, the one in line is served.
  const served = [waiter, refused].filter((client) => statusOf(client.received()) !== 503);
  assert.equal(served.length, 1);
  await served[0]?.until("POST /  ");
});

test("a proven sender gives its room back while it is still in work", async (t) => {
  const release = signalled();
  const { port } = await testGateway(t, {
    limits: { unauthenticatedBytesMax: 1000, waitingMax: 0 },
    handler: echo(async (exchange, body) => {
      if (exchange.path === "/proven") exchange.bodyAuthenticated();
      if (exchange.path !== "/last") await release.promise;
      return textReply(200, `served ${body.length}`);
    }),
  });
  const send = (path: string) => {
    const client = rawClient(t, port);
    client.socket.write(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n`);
    client.socket.write("x".repeat(900));
    return client;
  };
  const proven = send("/proven");
  await send("/last").until("served 900");
  const unproven = send("/unproven");
  // Twin: a sender that is not proven holds its room.
  await untilRefused(() => send("/last"));
  release.resolve();
  await proven.until("served 900");
  await unproven.until("served 900");
});

async function untilRefused(send: () => ReturnType<typeof rawClient>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (statusOf(await send().until("HTTP/1.1 ")) === 503) return;
  }
  assert.fail("never refused");
}

const never = new AbortController().signal;

test("the budget counts addresses apart and serves its line in order", async () => {
  const budget = bodyBudget({
    unauthenticatedBytesMax: 100,
    unauthenticatedBytesPerAddressMax: 40,
    smallBodyBytesMax: 100,
    unauthenticatedLargeBytesMax: 0,
    largeBytesMax: 0,
    waitingMax: 3,
    waitingMs: 10_000,
  });
  assert.equal(budget.reserveNow(40, "a"), true);
  assert.equal(budget.reserveNow(1, "a"), false, "the address is at its limit");
  assert.equal(budget.reserveNow(60, undefined), true, "loopback has no limit of its own");
  const order: string[] = [];
  const gone = new AbortController();
  const line = [
    budget.reserve(30, "a", never).then((got) => order.push(`a ${got}`)),
    budget.reserve(30, "b", gone.signal).then((got) => order.push(`b ${got}`)),
    budget.reserve(30, "c", never).then((got) => order.push(`c ${got}`)),
  ];
  assert.equal(await budget.reserve(1, "d", never), false, "the line is full");
  gone.abort();
  budget.prove(60, undefined);
  // "a" is still at its own limit and does not hold up "c".
  await Promise.all([line[1], line[2]]);
  assert.deepEqual(order, ["b false", "c true"]);
  budget.prove(40, "a");
  await line[0];
  assert.deepEqual(order, ["b false", "c true", "a true"]);
  budget.prove(30, "a");
  budget.prove(30, "c");
  assert.equal(budget.usedBytes(), 0);
});

const forLarge = {
  unauthenticatedBytesMax: 120,
  unauthenticatedBytesPerAddressMax: 120,
  smallBodyBytesMax: 10,
  unauthenticatedLargeBytesMax: 100,
  largeBytesMax: 150,
  waitingMax: 10,
  waitingMs: 10_000,
};

test("large bodies keep their room until they are answered, small ones until proven", async () => {
  const budget = bodyBudget(forLarge);
  assert.equal(budget.reserveNow(100, undefined), true);
  assert.equal(budget.reserveNow(11, undefined), false, "a tenth is for small bodies");
  assert.equal(budget.reserveNow(10, undefined), true);
  budget.prove(10, undefined);
  budget.release(10);
  budget.prove(100, undefined);
  assert.equal(budget.reserveNow(51, undefined), false, "the proven one is still in work");
  assert.equal(budget.reserveNow(50, undefined), true);
  budget.release(100);
  assert.equal(budget.reserveNow(50, undefined), true);
  assert.equal(budget.usedBytes(), 100);
});

test("a body that turned out shorter gives the rest back, proven or not", () => {
  const budget = bodyBudget(forLarge);
  assert.equal(budget.reserveNow(100, "a"), true);
  budget.shrink(100, 5, "a");
  assert.equal(budget.usedBytes(), 5);
  assert.equal(budget.reserveNow(100, "a"), true);
  budget.shrink(100, 60, "a");
  assert.equal(budget.reserveNow(91, undefined), false);
  assert.equal(budget.reserveNow(40, undefined), true);
  for (const bytes of [60, 5]) {
    budget.prove(bytes, "a");
    budget.release(bytes);
  }
  assert.equal(budget.usedBytes(), 40);
  assert.equal(budget.reserveNow(60, "a"), true, "nothing of them is left");
});

test("a large body waits for no later one, and small ones not for it", async () => {
  const budget = bodyBudget(forLarge);
  assert.equal(budget.reserveNow(80, undefined), true);
  const order: string[] = [];
  const gone = new AbortController();
  const line = [
    budget.reserve(90, undefined, gone.signal).then((got) => order.push(`90 ${got}`)),
    budget.reserve(95, undefined, never).then((got) => order.push(`95 ${got}`)),
    budget.reserve(11, undefined, never).then((got) => order.push(`11 ${got}`)),
  ];
  assert.equal(budget.reserveNow(12, undefined), false, "there is room, and a line before it");
  assert.equal(budget.reserveNow(10, undefined), true);
  // Who leaves the line's head lets the next in, if they fit.
  gone.abort();
  budget.prove(80, undefined);
  await line[0];
  assert.deepEqual(order, ["90 false"], "proven, and still in work: 95 do not fit");
  budget.release(80);
  await line[1];
  assert.deepEqual(order, ["90 false", "95 true"]);
  budget.prove(95, undefined);
  await line[2];
  assert.deepEqual(order, ["90 false", "95 true", "11 true"]);
});

test("all bodies together stay within 80 MiB, those in line included", () => {
  const { unauthenticatedBytesMax, unauthenticatedLargeBytesMax, largeBytesMax } = defaultLimits;
  const nodeBytesPerWaiting = 64 * 1024;
  const waiting = defaultLimits.waitingMax * nodeBytesPerWaiting;
  const small = unauthenticatedBytesMax - unauthenticatedLargeBytesMax;
  assert.ok(unauthenticatedBytesMax + waiting <= 64 * 1024 ** 2, "the unproven");
  assert.ok(small + largeBytesMax + waiting <= 80 * 1024 ** 2);
});

test("too many requests in a row on one connection end it", async (t) => {
  const release = signalled();
  const { port } = await testGateway(t, {
    limits: { pipelinedMax: 3 },
    handler: echo(async () => {
      await release.promise;
      return textReply(200, "answered");
    }),
  });
  const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  const greedy = rawClient(t, port);
  greedy.socket.write(request.repeat(4));
  assert.equal(await greedy.closed, "");
  const modest = rawClient(t, port);
  modest.socket.write(request.repeat(3));
  release.resolve();
  const answer = await modest.until("answered");
  assert.equal(statusOf(answer), 200);
});

test("one address may hold so many connections and no more; loopback is free", async (t) => {
  const outward = Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === "IPv4" && !found.internal)?.address;
  if (outward === undefined) return t.skip("this machine has no address but loopback");
  const { port } = await testGateway(t, {
    host: "0.0.0.0",
    limits: { connectionsPerAddressMax: 2 },
  });
  const open = async (host: string) => {
    const socket = connect({ host, port });
    t.after(() => void socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    return Promise.race([once(socket, "data"), once(socket, "close").then(() => undefined)]);
  };
  assert.ok(await open(outward));
  assert.ok(await open(outward));
  assert.equal(await open(outward), undefined);
  for (let count = 0; count < 4; count++) assert.ok(await open("127.0.0.1"));
});

test("an IPv6 host counts by its network", () => {
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8::1"), networkOf("2001:db8::ffff:2"));
  assert.notEqual(networkOf("2001:db8::1"), networkOf("2001:db8:0:1::1"));
  assert.equal(networkOf("10.0.0.1"), "10.0.0.1");
});

test("thousands of idle connections leave the server serving", async (t) => {
  const count = 3000;
  const { port } = await testGateway(t);
  const sockets = Array.from({ length: count }, () => connect({ port, host: "127.0.0.1" }));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const client = rawClient(t, port);
  client.socket.write("GET /alive HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.until("GET /alive");
  assert.equal(sockets.filter((socket) => socket.destroyed).length, 0);
});

test("twin: with a lower limit on connections the same client is refused", async (t) => {
  const { port } = await testGateway(t, { limits: { connectionsMax: 1 } });
  const first = rawClient(t, port);
  first.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await first.until("GET /");
  const second = rawClient(t, port);
  second.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal(await second.closed, "");
});
