/**
 * Goal: what the direct lane reads itself is what node:http would have read; everything doubtful is
 * left to node:http. Method: requests put together at random from fair and foul parts; each one
 * that is read here is sent to a bare node:http server, and both must have seen the same.
 */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { headerValues } from "../../src/auth/canonical.ts";
import { readPlainHead } from "../../src/gateway/request-head.ts";

const headBytesMax = 16 * 1024;

interface Seen {
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const seen: Seen[] = [];
const server = createServer(async (request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method, url, rawHeaders } = request;
  const body = Buffer.concat(chunks).toString("latin1");
  seen.push({ method, target: url, headers: headerValues(rawHeaders), body });
  response.end();
});
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => server.close());

/** What node:http makes of the bytes of one connection. */
function byNode(bytes: Buffer): Promise<readonly Seen[]> {
  seen.length = 0;
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket
      .on("error", reject)
      .on("close", () => resolve([...seen]))
      .resume();
  });
}

/** What the direct lane makes of them; undefined: it leaves them alone. */
function byLane(bytes: Buffer): Seen | undefined {
  const head = readPlainHead(bytes, headBytesMax);
  if (head === undefined || bytes.length !== head.bodyAt + head.bodyBytes) return undefined;
  const { method, target, headers } = head;
  const body = bytes.toString("latin1", head.bodyAt);
  return { method, target, headers, body };
}

const fairLines = [
  "Host: localhost",
  "host:localhost:4566",
  "content-type: application/x-amz-json-1.0",
  "Content-Type:\tapplication/x-www-form-urlencoded \t",
  "X-Amz-Target: AmazonSQS.SendMessage",
  "x-amz-date: 20260101T000000Z",
  "Connection: keep-alive",
  "User-Agent: a/1 (b; c) d",
  "Accept: */*",
  "x-empty:",
  "x-letters: gr\xfc\xdfe",
  "__proto__: d",
  "constructor: e",
  "Authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
];
const foulLines = [
  "Transfer-Encoding: chunked",
  "content-length: 3",
  "Content-Length : 4",
  "Content-Length: +4",
  "Content-Length: 4, 4",
  "Content-Length: 0x4",
  " folded: line",
  "no colon",
  "x-blanks: a  b",
  "x-tab: a\tb",
  "x-nul: a\0b",
  "x-bare: a\rb",
  "x-line: a\nb",
  "x del: c",
  "Connection: close",
  "Connection: upgrade",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Trailer: x",
  ": nameless",
  "",
];
const starts = ["POST / HTTP/1.1", "GET /?Action=ListQueues&Version=1 HTTP/1.1"];
const foulStarts = [
  "post / HTTP/1.1",
  "POST / HTTP/1.0",
  "POST  / HTTP/1.1",
  "POST /a b HTTP/1.1",
  "POST / HTTP/1.1 ",
  "HEAD / HTTP/1.1",
  "PRI * HTTP/2.0",
];

const fair = <T>(good: readonly T[], bad: readonly T[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );

const requests = fc
  .record({
    start: fair(starts, foulStarts),
    lines: fc.array(fair(fairLines, foulLines), { maxLength: 6 }),
    body: fc.string({ maxLength: 20 }),
    announced: fair([0], [1, -1]),
    newline: fair(["\r\n"], ["\n"]),
  })
  .map(({ start, lines, body, announced, newline }) => {
    const length = Math.max(0, Buffer.byteLength(body) + announced);
    const head = [start, "Host: sealpost", ...lines, `content-length: ${length}`, "", ""];
    return Buffer.concat([Buffer.from(head.join(newline), "latin1"), Buffer.from(body)]);
  });

test("what is read here, node:http reads alike", async () => {
  let read = 0;
  let left = 0;
  const check = fc.asyncProperty(requests, async (bytes) => {
    const mine = byLane(bytes);
    if (mine === undefined) {
      left += 1;
      return;
    }
    read += 1;
    assert.deepEqual(await byNode(bytes), [mine]);
  });
  await fc.assert(check, { numRuns: 2_000 });
  assert.ok(read > 200 && left > 200, `${read} read, ${left} left`);
});

const request = (...lines: readonly string[]) =>
  Buffer.from(["POST / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n"), "latin1");

test("a plain request is read", () => {
  const read = byLane(Buffer.concat([request("Content-Length: 2", "X-A:  b "), Buffer.from("{}")]));
  assert.deepEqual(read, {
    method: "POST",
    target: "/",
    headers: new Map([
      ["host", "a"],
      ["content-length", "2"],
      ["x-a", "b"],
    ]),
    body: "{}",
  });
});

for (const line of foulLines) {
  test(`left to node:http: ${JSON.stringify(line)}`, () => {
    const bytes = request("content-length: 0", line);
    assert.equal(byLane(line === "" ? Buffer.concat([bytes, bytes]) : bytes), undefined);
  });
}

for (const start of foulStarts) {
  test(`left to node:http: ${start}`, () => {
    assert.equal(byLane(Buffer.from(`${start}\r\nHost: a\r\n\r\n`)), undefined);
  });
}

test("a host that is missing, and a head that is too long, are left as well", () => {
  assert.equal(byLane(Buffer.from("POST / HTTP/1.1\r\nx: y\r\n\r\n")), undefined);
  assert.equal(byLane(request(`x: ${"y".repeat(headBytesMax)}`)), undefined);
  assert.ok(byLane(request(`x: ${"y".repeat(headBytesMax - 100)}`)));
});

test("a hostile head of the greatest length is judged in linear time", () => {
  const lines = Array.from({ length: 4_000 }, (_, index) => `${index}:`);
  const hostile = [request(...lines, "\x7f:"), request(`${"a".repeat(16_000)}\x7f`)];
  for (const bytes of hostile) assert.equal(byLane(bytes), undefined);
});
