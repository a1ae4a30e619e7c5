/**
 * Goal: a request that comes in pieces is read as node:http reads it, wherever it is cut, and its
 * body costs what has come of it. Method: requests put together at random from fair and foul parts,
 * sent in random pieces to a gateway and to a bare node:http server, which must see the same; then
 * one connection at a time for what a sender may do in the midst of a body.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { addressSet } from "../../src/gateway/addresses.ts";
import { BodyBuffer } from "../../src/gateway/body.ts";
import type { Connection } from "../../src/gateway/carrier.ts";
import { directLane } from "../../src/gateway/direct-lane.ts";
import { defaultLimits } from "../../src/gateway/limits.ts";
import { textReply } from "../../src/gateway/refusals.ts";
import { startGateway } from "../../src/gateway/server.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { certificate, echo, rawClient, statusOf, testGateway } from "./support.ts";

/** What one server saw of the bytes of a connection. */
const seen: string[] = [];
const record = (method = "", target = "", body: Uint8Array) => {
  seen.push(`${method} ${target} ${Buffer.from(body).toString("latin1")}`);
};

const bare = createServer(async (request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    // Its sender ended within the body.
    return;
  }
  record(request.method, request.url, Buffer.concat(chunks));
  response.end();
});
const gateway = await startGateway({
  host: "127.0.0.1",
  port: 0,
  tls: certificate,
  tlsOnly: false,
  trustedProxies: addressSet([]),
  handler: echo(async ({ method, path }, body) => {
    record(method, path, body);
    return textReply(200, "");
  }),
  systemClock: { now: () => Date.now() },
  log: silentLog,
  limits: { ...defaultLimits, stopMs: 200 },
});
before(() => new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve)));
after(async () => {
  bare.close();
  await gateway.stop();
});

/**
 * Sends pieces, each in a turn of the event loop of its own, and the end; answers what was seen.
 * Sorted, since `node:http` begins with a request before the one before it is answered.
 */
async function send(port: number, pieces: readonly Buffer[]): Promise<readonly string[]> {
  seen.length = 0;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true }).on("error", () => {});
  const closed = once(socket.resume(), "close");
  await once(socket, "connect");
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    for (let turns = 0; turns < 3; turns += 1) await turn();
  }
  socket.end();
  await closed;
  return seen.toSorted();
}

const barePort = () => (bare.address() as AddressInfo).port;

/** Cuts bytes at these places, in any order, of any size. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length];
  ends.sort((a, b) => a - b);
  let from = 0;
  return ends.map((end) => {
    const piece = bytes.subarray(from, end);
    from = end;
    return piece;
  });
}

const lines = ["x-a: b", "Connection: keep-alive", "Accept: */*"];
const foul = ["Connection: close", "Expect: 100-continue", "x: a  b", "bad line", "x-nul: a\0b"];
const request = fc
  .record({
    lines: fc.array(
      fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom(...lines) },
        { weight: 1, arbitrary: fc.constantFrom(...foul) },
      ),
      { maxLength: 2 },
    ),
    body: fc.string({ maxLength: 40 }),
    chunked: fc.constantFrom(false, false, false, true),
  })
  .map(({ lines: more, body, chunked }) => {
    const bytes = Buffer.from(body);
    const framing = chunked ? "transfer-encoding: chunked" : `content-length: ${bytes.length}`;
    const head = ["POST /a HTTP/1.1", "Host: sealpost", ...more, framing, "", ""].join("\r\n");
    const parts = [Buffer.from(head, "latin1"), bytes];
    if (!chunked) return Buffer.concat(parts);
    const size = bytes.length > 0 ? `${bytes.length.toString(16)}\r\n` : "";
    parts.splice(1, 0, Buffer.from(size));
    return Buffer.concat([...parts, Buffer.from(bytes.length > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n")]);
  });

test("requests in pieces are seen as a bare node:http server sees them", async () => {
  const connections = fc.record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    places: fc.array(fc.nat(2_000), { maxLength: 4 }),
    /** Bytes that never come. */
    missing: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  });
  let whole = 0;
  const check = fc.asyncProperty(connections, async ({ requests, places, missing }) => {
    const bytes = Buffer.concat(requests);
    const pieces = cut(bytes.subarray(0, bytes.length - missing), places);
    const expected = await send(barePort(), pieces);
    assert.deepEqual(await send(gateway.port, pieces), expected);
    if (expected.length === requests.length) whole += 1;
  });
  const numRuns = process.env.SEALPOST_TEST_LONG ? 5_000 : 250;
  await fc.assert(check, { numRuns });
  assert.ok(whole > numRuns / 4, `${whole} connections were read to their end`);
});

const plain = (body: string, target = "/a") =>
  Buffer.from(
    `POST ${target} HTTP/1.1\r\nHost: h\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );

test("a request cut at any byte is read whole", async () => {
  const bytes = plain("0123456789");
  for (let place = 0; place <= bytes.length; place += 1) {
    const pieces = [bytes.subarray(0, place), bytes.subarray(place)];
    assert.deepEqual(await send(gateway.port, pieces), ["POST /a 0123456789"], `cut at ${place}`);
  }
});

/** A direct lane alone: how many connections it gave away, and what it was asked. */
async function lane(t: { after(act: () => void): void }) {
  const state = { handedOver: 0, bodies: [] as (string | Buffer)[] };
  const watch = { add() {}, remove() {}, close() {} };
  const taken = directLane({
    limits: defaultLimits,
    systemClock: { now: () => 0 },
    connectionOf: () => ({}) as Connection,
    async serve(carrier) {
      const body = await carrier.readBody(1_000_000, watch);
      state.bodies.push(body);
      if (body !== "gone") carrier.reply(textReply(200, "answered"), false);
    },
    handOver(socket) {
      state.handedOver += 1;
      socket.destroy();
    },
  });
  const server = createNetServer({ allowHalfOpen: true }, (socket: Socket) => taken.take(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { state, port: (server.address() as AddressInfo).port };
}

test("a body in pieces stays in the lane, and so does what comes behind it", async (t) => {
  const { state, port } = await lane(t);
  const client = rawClient(t, port);
  const first = plain("0123456789");
  const headBytes = first.length - 10;
  client.socket.write(first.subarray(0, headBytes));
  for (let turns = 0; turns < 4; turns += 1) await turn();
  // The end of one body and the whole next request in one piece.
  client.socket.write(Buffer.concat([first.subarray(headBytes), plain("next")]));
  while (state.bodies.length < 2) await turn();
  assert.deepEqual(state.bodies.map(String), ["0123456789", "next"]);
  assert.equal(state.handedOver, 0);
  // Twin: what comes together with a whole request goes to node:http.
  client.socket.write(Buffer.concat([plain("one"), plain("two")]));
  await client.closed;
  assert.equal(state.handedOver, 1);
  assert.equal(state.bodies.length, 2);
});

test("large bodies of many pieces arrive as they were sent", async (t) => {
  const { state, port } = await lane(t);
  const body = Buffer.from(Uint8Array.from({ length: 700_001 }, (_, index) => index % 251));
  const client = rawClient(t, port);
  const head = `POST / HTTP/1.1\r\nHost: h\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (let round = 1; round <= 3; round += 1) {
    client.socket.write(head);
    client.socket.write(body);
    while (state.bodies.length < round) await turn();
    assert.ok(body.equals(Buffer.from(state.bodies[round - 1] ?? "")));
  }
  assert.equal(state.handedOver, 0);
});

test("who leaves or ends within a body is gone; nothing is held for it", async (t) => {
  const served = echo(async (_exchange, body) => textReply(200, `served ${body.length}`));
  const { port, requestsInFlight } = await testGateway(t, {
    handler: served,
    limits: { unauthenticatedBytesMax: 1000, waitingMax: 0 },
  });
  for (const leave of ["end", "resetAndDestroy"] as const) {
    const leaving = rawClient(t, port);
    leaving.socket.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\nabc");
    while (requestsInFlight() === 0) await turn();
    // Twin: while it is there it holds its room.
    const refused = rawClient(t, port);
    refused.socket.write(plain("x".repeat(900)));
    assert.equal(statusOf(await refused.until("HTTP/1.1 ")), 503);
    leaving.socket[leave]();
    assert.equal(await leaving.closed, "");
    while (requestsInFlight() > 0) await turn();
    const staying = rawClient(t, port);
    staying.socket.write(plain("x".repeat(900)));
    await staying.until("served 900");
  }
});

for (const way of ["the lane", "node:http"]) {
  test(`what follows a short body that was refused unread is served (${way})`, async (t) => {
    const { port } = await testGateway(t, {
      handler: {
        ...echo(),
        admit: ({ path }) =>
          path === "/refused"
            ? { refuse: textReply(403, "refused") }
            : { bodyBytesMax: 100, context: undefined },
      },
    });
    const client = rawClient(t, port);
    // Two blanks in a value are left to node:http.
    const line = way === "node:http" ? "x: a  b\r\n" : "";
    client.socket.write(`POST /refused HTTP/1.1\r\nHost: h\r\n${line}Content-Length: 10\r\n\r\n01`);
    assert.equal(statusOf(await client.until("refused\n")), 403);
    client.socket.write("234567");
    await turn();
    client.socket.write(Buffer.concat([Buffer.from("89"), plain("abc", "/served")]));
    await client.until("POST /served  3");
  });
}

test("a body's memory is given back, but not what else came with it", async (t) => {
  const kept: Buffer[] = [];
  const { port } = await testGateway(t, {
    handler: echo(async (_exchange, body) => {
      kept.push(body);
      return textReply(200, `served ${body.length}`);
    }),
  });
  const client = rawClient(t, port);
  const long = plain("x".repeat(20_000));
  client.socket.write(long.subarray(0, 100));
  for (let turns = 0; turns < 4; turns += 1) await turn();
  client.socket.write(Buffer.concat([long.subarray(100), plain("y".repeat(30), "/next")]));
  await client.until("served 30");
  assert.equal(kept.length, 2);
  assert.equal(kept[0]?.length, 0);
  assert.equal(kept[1]?.length, 30);
});

test("a body has room for four times what has come of it, and no more than it may", () => {
  const announced = 8 * 1024 * 1024;
  const body = new BodyBuffer(announced);
  body.add(Buffer.alloc(10, 1));
  assert.ok(body.bytes().buffer.byteLength < 1024 * 1024);
  for (let piece = 0; piece < 300; piece += 1) body.add(Buffer.alloc(1_000, piece));
  assert.equal(body.receivedBytes, 300_010);
  assert.ok(body.bytes().buffer.byteLength <= 4 * 300_010);
  for (let piece = 0; piece < 300; piece += 1) {
    assert.ok(
      body
        .bytes()
        .subarray(10 + piece * 1_000, 1_010 + piece * 1_000)
        .every((byte) => byte === piece % 256),
    );
  }
  // Twin: one that is announced to be shorter has room for that.
  const short = new BodyBuffer(1_000);
  short.add(Buffer.alloc(400));
  short.add(Buffer.alloc(600));
  assert.equal(short.bytes().buffer.byteLength, 1_000);
});
