import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { textReply } from "../../src/gateway/refusals.ts";
import { startTestServer } from "../harness/server.ts";
import { echo, rawClient, signalled, statusOf, testGateway } from "./support.ts";

// Goal: more large requests at a time than there is room for all complete, over both schemes, also
// beside senders who stop in the midst of their body; and no more of them are in work than may be.
// Method: clients of Node on one address that is not loopback (which has no limit of its own) ask a
// gateway whose handler counts what it holds; then the SDK asks a whole server.

const mebibyte = 1024 * 1024;
const count = 64;

const outward =
  Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === "IPv4" && !found.internal)?.address ?? "127.0.0.1";

/** Answers once each has been given a turn of the event loop, and sees how much lies there. */
function counting() {
  let heldBytes = 0;
  const seen = { mostBytes: 0, served: 0 };
  const handler = echo(async (exchange, body) => {
    exchange.bodyAuthenticated();
    heldBytes += body.length;
    seen.mostBytes = Math.max(seen.mostBytes, heldBytes);
    await new Promise(setImmediate);
    heldBytes -= body.length;
    seen.served += 1;
    return textReply(200, `${body.length}`);
  });
  return { handler, seen };
}

async function post(port: number, secure: boolean, body: Buffer): Promise<string> {
  const options = { host: outward, port, method: "POST", agent: false as const };
  const sending = secure
    ? httpsRequest({ ...options, rejectUnauthorized: false })
    : httpRequest(options);
  sending.end(body);
  const [answer]: IncomingMessage[] = await once(sending, "response");
  assert.ok(answer);
  let text = `${answer.statusCode} `;
  for await (const chunk of answer) text += chunk;
  return text.trim();
}

for (const secure of [false, true]) {
  const scheme = secure ? "https" : "http";

  test(`${count} bodies of 1 MiB at a time from one address all complete, ${scheme}`, async (t) => {
    const { handler, seen } = counting();
    const largeBytesMax = 20 * mebibyte;
    const { port } = await testGateway(t, { host: "0.0.0.0", handler, limits: { largeBytesMax } });
    const body = Buffer.alloc(mebibyte, "x");
    const answers = await Promise.all(
      Array.from({ length: count }, () => post(port, secure, body)),
    );
    assert.deepEqual(new Set(answers), new Set([`200 ${mebibyte}`]));
    assert.equal(seen.served, count);
    assert.ok(seen.mostBytes <= largeBytesMax, `${seen.mostBytes}`);
  });

  test(`senders who stop in the midst are cut, and all others complete, ${scheme}`, async (t) => {
    const { handler, seen } = counting();
    // Whole windows without a byte: a busy machine does not make the others that slow.
    const limits = { bodyWindowMs: 1_000, bodyBytesPerWindowMin: 1, lingerMs: 20 };
    const { port, requestsInFlight } = await testGateway(t, { host: "0.0.0.0", handler, limits });
    // As many as the room of their address has: nobody is served before they are cut.
    const stalled = Array.from({ length: 16 }, () => {
      const client = rawClient(t, port, secure, outward);
      client.socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${mebibyte}\r\n\r\n`);
      client.socket.write(Buffer.alloc(mebibyte / 2));
      return client;
    });
    const isCut = () => stalled.some(({ socket }) => socket.destroyed);
    while (requestsInFlight() < stalled.length && !isCut()) await new Promise(setImmediate);
    const body = Buffer.alloc(mebibyte, "x");
    const others = Array.from({ length: count }, () => post(port, secure, body));
    for (const { closed } of stalled) assert.equal(statusOf(await closed), 408);
    assert.deepEqual(new Set(await Promise.all(others)), new Set([`200 ${mebibyte}`]));
    assert.equal(seen.served, count);
  });
}

test("twin: proven bodies in work leave no room for another large one, and for small ones", async (t) => {
  const release = signalled();
  const { port } = await testGateway(t, {
    limits: { largeBytesMax: 3 * mebibyte, waitingMax: 0 },
    handler: echo(async (exchange, body) => {
      exchange.bodyAuthenticated();
      if (body.length > 1) await release.promise;
      return textReply(200, `served ${body.length}`);
    }),
  });
  const send = (bytes: number) => {
    const client = rawClient(t, port);
    client.socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.socket.write(Buffer.alloc(bytes));
    return client;
  };
  const inWork = Array.from({ length: 3 }, () => send(mebibyte));
  await send(1).until("served 1");
  assert.equal(statusOf(await send(mebibyte).until("HTTP/1.1 ")), 503);
  await send(1).until("served 1");
  release.resolve();
  for (const client of inWork) await client.until(`served ${mebibyte}`);
  await send(mebibyte).until(`served ${mebibyte}`);
});

test("short chunked bodies hold no room for the longest while they are in work", async (t) => {
  const release = signalled();
  const { port } = await testGateway(t, {
    limits: { largeBytesMax: 2 * mebibyte, waitingMax: 0 },
    handler: echo(async (exchange, body) => {
      exchange.bodyAuthenticated();
      if (body.length === 1) await release.promise;
      return textReply(200, `served ${body.length}`);
    }),
  });
  // Each might have been 1 MiB long.
  const polls: ReturnType<typeof rawClient>[] = [];
  for (let poll = 0; poll < 3; poll += 1) {
    const client = rawClient(t, port);
    client.socket.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.socket.write("1\r\nx\r\n0\r\n\r\n");
    polls.push(client);
    const large = rawClient(t, port);
    large.socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${mebibyte}\r\n\r\n`);
    large.socket.write(Buffer.alloc(mebibyte));
    await large.until(`served ${mebibyte}`);
  }
  release.resolve();
  for (const client of polls) await client.until("served 1");
});

test(`${count} messages of 1 MiB at a time by the SDK, none lost`, async () => {
  const server = await startTestServer();
  try {
    const { sqs } = server.rootClients;
    const { QueueUrl } = await sqs.createQueue({ QueueName: "large" });
    const MessageBody = "x".repeat(mebibyte);
    const sent = await Promise.all(
      Array.from({ length: count }, () => sqs.sendMessage({ QueueUrl, MessageBody })),
    );
    assert.equal(new Set(sent.map(({ MessageId }) => MessageId)).size, count);
    const name = "ApproximateNumberOfMessages";
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: [name] });
    assert.equal(Attributes?.[name], String(count));
  } finally {
    await server.stop();
  }
});
