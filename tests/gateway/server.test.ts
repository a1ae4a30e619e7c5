import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { PortInUse } from "../../src/gateway/port.ts";
import { textReply } from "../../src/gateway/refusals.ts";
import { echo, rawClient, signalled, statusOf, testGateway } from "./support.ts";

// Goal: one port speaks HTTPS and plain HTTP, and what is malformed gets a clean answer.
// Method: bare sockets send exact bytes; the answers are compared.

test("one port answers HTTPS and plain HTTP", async (t) => {
  const { port } = await testGateway(t);
  for (const secure of [false, true]) {
    const client = rawClient(t, port, secure);
    client.socket.write("POST /a/b?c=d HTTP/1.1\r\nHost: me:1\r\nContent-Length: 3\r\n\r\nabc");
    const scheme = secure ? "https" : "http";
    await client.until(`POST /a/b c=d 3 ${scheme}://me:1\n`);
  }
});

test("a connection whose bytes come one by one is served as well", async (t) => {
  const { port } = await testGateway(t);
  const client = rawClient(t, port);
  client.socket.setNoDelay(true);
  const request = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  for (const byte of request) {
    await new Promise<void>((resolve) => client.socket.write(byte, () => resolve()));
  }
  await client.until("POST /x  2 http://h");
});

test("a body far larger than one packet arrives whole, on both schemes", async (t) => {
  const { port } = await testGateway(t, {
    handler: echo(async (_exchange, body) =>
      textReply(200, String(body.every((byte, index) => byte === index % 251))),
    ),
  });
  const body = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251));
  for (const secure of [false, true]) {
    for (const chunked of [false, true]) {
      const client = rawClient(t, port, secure);
      const length = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
      client.socket.write(`POST / HTTP/1.1\r\nHost: h\r\n${length}\r\n\r\n`);
      if (chunked) client.socket.write(`${body.length.toString(16)}\r\n`);
      client.socket.write(body);
      if (chunked) client.socket.write("\r\n0\r\n\r\n");
      await client.until("true\n");
    }
  }
});

test("pipelined requests are answered in their order", async (t) => {
  const first = signalled();
  const { port } = await testGateway(t, {
    handler: echo(async ({ path }) => {
      if (path === "/1") await first.promise;
      if (path === "/2") first.resolve();
      return textReply(200, `answer to ${path}`);
    }),
  });
  const client = rawClient(t, port);
  client.socket.write("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  const answer = await client.until("answer to /2");
  assert.ok(answer.indexOf("answer to /1") < answer.indexOf("answer to /2"));
});

test("malformed requests get 400, also behind a good one that is still in work", async (t) => {
  const release = signalled();
  const { port } = await testGateway(t, {
    handler: echo(async () => {
      await release.promise;
      return textReply(200, "good");
    }),
  });
  const bad = [
    "GARBAGE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ];
  for (const bytes of bad) {
    const client = rawClient(t, port);
    client.socket.write(bytes);
    assert.equal(statusOf(await client.closed), 400, bytes);
  }
  for (const secure of [false, true]) {
    const client = rawClient(t, port, secure);
    client.socket.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
    assert.equal(statusOf(await client.closed), 400, "a malformed chunk");
  }
  const client = rawClient(t, port);
  client.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\nGARBAGE\r\n\r\n");
  setImmediate(() => release.resolve());
  const answer = await client.closed;
  assert.match(answer, /^HTTP\/1\.1 200[\s\S]*good\n[\s\S]*HTTP\/1\.1 400/);
});

test("a head that is too long gets 431", async (t) => {
  const { port } = await testGateway(t);
  const client = rawClient(t, port);
  client.socket.write(`GET / HTTP/1.1\r\nHost: h\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
  assert.equal(statusOf(await client.closed), 431);
});

test("with tlsOnly plain HTTP is refused and HTTPS is served", async (t) => {
  const { port } = await testGateway(t, { tlsOnly: true });
  const plain = rawClient(t, port);
  plain.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.match(await plain.closed, /^HTTP\/1\.1 400[\s\S]*HTTPS only/);
  const secure = rawClient(t, port, true);
  secure.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await secure.until("GET /  0 https://h");
});

test("an absolute target is taken as its path; a request without host by its socket", async (t) => {
  const { port } = await testGateway(t);
  const absolute = rawClient(t, port);
  absolute.socket.write("GET http://other/p?q HTTP/1.1\r\nHost: h\r\n\r\n");
  await absolute.until("GET /p q 0 http://h");
  const old = rawClient(t, port);
  old.socket.write("GET / HTTP/1.0\r\n\r\n");
  await old.until(`GET /  0 http://127.0.0.1:${port}`);
});

test("a client that expects 100-continue sends its body only when admitted", async (t) => {
  const { port } = await testGateway(t);
  const head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
  const admitted = rawClient(t, port);
  admitted.socket.write(`${head}Content-Length: 2\r\n\r\n`);
  await admitted.until("100 Continue");
  admitted.socket.write("ab");
  await admitted.until("POST /  2");
  const refused = rawClient(t, port);
  refused.socket.write(`${head}Content-Length: 2000000\r\n\r\n`);
  assert.equal(statusOf(await refused.closed), 413);
});

test("what a handler throws is answered with 500 and the next request is served", async (t) => {
  const { port } = await testGateway(t, {
    handler: echo(async ({ path }) => {
      if (path === "/bad") throw new Error("a bug");
      return textReply(200, "fine");
    }),
  });
  const client = rawClient(t, port);
  client.socket.write("GET /bad HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal(statusOf(await client.until("internal")), 500);
  client.socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.until("fine");
});

test("a port in use is an error, also where binding beside it would work", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => void other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  await assert.rejects(testGateway(t, { port }), PortInUse);
  // Twin: the same port is fine once the other has gone.
  await new Promise((resolve) => other.close(resolve));
  const gateway = await testGateway(t, { port });
  assert.equal(gateway.port, port);
});

test("a client that leaves in the handshake or in the head disturbs nobody", async (t) => {
  const { port } = await testGateway(t);
  for (const bytes of [Buffer.from([0x16]), Buffer.from([0x16, 3, 1, 2, 0, 1]), "GET / HT"]) {
    const socket = connect({ port, host: "127.0.0.1" });
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
    socket.resetAndDestroy();
  }
  const client = rawClient(t, port);
  client.socket.write("GET /after HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.until("GET /after");
});
