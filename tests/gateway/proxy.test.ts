import assert from "node:assert/strict";
import { test } from "node:test";
import { addressSet, isLoopbackAddress, plainAddress } from "../../src/gateway/addresses.ts";
import { textReply } from "../../src/gateway/refusals.ts";
import { echo, rawClient, testGateway } from "./support.ts";

// Goal: forwarded headers count only from trusted proxies, and from the right end only.
// Method: one table of headers against a server that trusts loopback and one that trusts nobody.

const cases = [
  { headers: {}, trusted: "127.0.0.1 http", untrusted: "127.0.0.1 http" },
  {
    headers: { "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https" },
    trusted: "1.2.3.4 https",
    untrusted: "127.0.0.1 http",
  },
  // The client wrote the left entry itself.
  {
    headers: { "X-Forwarded-For": "9.9.9.9, 1.2.3.4" },
    trusted: "1.2.3.4 http",
    untrusted: "127.0.0.1 http",
  },
  // 10.0.0.5 is a trusted proxy too, so the entry before it is the source.
  {
    headers: { "X-Forwarded-For": "9.9.9.9, 1.2.3.4, 10.0.0.5", "X-Forwarded-Proto": "http,https" },
    trusted: "1.2.3.4 https",
    untrusted: "127.0.0.1 http",
  },
  {
    headers: { "X-Forwarded-For": "10.0.0.6, 10.0.0.5" },
    trusted: "10.0.0.6 http",
    untrusted: "127.0.0.1 http",
  },
  {
    headers: { "X-Forwarded-For": "1.2.3.4, nonsense, 10.0.0.5" },
    trusted: "10.0.0.5 http",
    untrusted: "127.0.0.1 http",
  },
  {
    headers: { "X-Forwarded-For": "[2001:db8::1]:4711" },
    trusted: "2001:db8::1 http",
    untrusted: "127.0.0.1 http",
  },
  {
    headers: { "X-Forwarded-For": "1.2.3.4:4711", "X-Forwarded-Proto": "https,http" },
    trusted: "1.2.3.4 http",
    untrusted: "127.0.0.1 http",
  },
];

test("source address and scheme behind a proxy", async (t) => {
  const handler = echo(async ({ transportFacts: { sourceIp, secure, baseUrl } }) =>
    textReply(200, `<${sourceIp} ${secure ? "https" : "http"}> ${baseUrl}`),
  );
  const proxies = addressSet(["127.0.0.0/8", "10.0.0.0/24"]);
  const trusting = await testGateway(t, { handler, trustedProxies: proxies });
  const wary = await testGateway(t, { handler });
  for (const { headers, trusted, untrusted } of cases) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    for (const [port, expected] of [
      [trusting.port, trusted],
      [wary.port, untrusted],
    ] as const) {
      const client = rawClient(t, port);
      client.socket.write(`GET / HTTP/1.1\r\nHost: h\r\n${lines.join("")}\r\n`);
      const answer = await client.until("//h");
      const scheme = expected.split(" ")[1];
      assert.ok(answer.includes(`<${expected}> ${scheme}://h`), `${lines} gave ${answer}`);
    }
  }
});

test("blocks that are malformed or hold every address are refused", () => {
  for (const block of ["0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0/8", "x", "1.2.3.4/8/9", ""]) {
    assert.throws(() => addressSet([block]), block);
  }
  const set = addressSet(["10.0.0.0/8", "fd00::/8", "1.2.3.4"]);
  for (const address of ["10.255.0.1", "::ffff:10.0.0.1", "fd12::1", "1.2.3.4"]) {
    assert.equal(set.has(address), true, address);
  }
  for (const address of ["11.0.0.1", "fe80::1", "1.2.3.5", "", "x"]) {
    assert.equal(set.has(address), false, address);
  }
});

test("loopback is told from what looks like it", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(isLoopbackAddress(address), true, address);
  }
  for (const address of ["128.0.0.1", "127.evil.example", "10.127.0.0", "::2", ""]) {
    assert.equal(isLoopbackAddress(address), false, address);
  }
  assert.equal(plainAddress("fe80::1%eth0"), "fe80::1");
});
