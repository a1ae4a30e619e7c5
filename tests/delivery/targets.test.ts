// Goal: nothing leads the server to addresses that its operator did not open, not by name, not by
// another spelling, not by a name that changes its mind. Method: the check itself with a resolver
// of the test, and a real receiver for the connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { exchange } from "../../src/delivery/http-exchange.ts";
import { reachThrough } from "../../src/delivery/open-targets.ts";
import {
  checkDeliveryAllow,
  createTargets,
  isClosedAddress,
  TargetRefused,
  type TargetRules,
} from "../../src/delivery/targets.ts";
import { startReceiver } from "./receiver.ts";

const rules = (changes: Partial<TargetRules> = {}): TargetRules => ({
  allowPrivate: false,
  allow: [],
  own: () => ({ addresses: ["203.0.113.9"], ports: [4566, 4567] }),
  lookup: async () => assert.fail("no name is resolved here"),
  ...changes,
});

const resolvesTo = (...addresses: readonly string[]): TargetRules["lookup"] => {
  return async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
};

test("addresses of this machine, its networks and their other spellings are closed", () => {
  const closed =
    "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 " +
    "192.168.1.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 " +
    "168.63.129.16 192.88.99.1 ::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::1 2002:a00:1:: 2001:0:1::1 fc00::1 fd12::1 fe80::1 " +
    "fec0::1 ff02::1";
  for (const address of closed.split(" ")) assert.ok(isClosedAddress(address), address);
  const open = "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.32.0.1 203.0.113.1 2606:4700::1111";
  for (const address of open.split(" ")) assert.equal(isClosedAddress(address), false, address);
});

test("a name is as good as what it resolves to", async () => {
  const targets = createTargets(rules({ lookup: resolvesTo("10.0.0.1", "93.184.216.34") }));
  assert.deepEqual(await targets.resolve("mixed.example", 443), {
    address: "93.184.216.34",
    family: 4,
  });
  const inside = createTargets(rules({ lookup: resolvesTo("10.0.0.1", "::1") }));
  await assert.rejects(inside.resolve("inside.example", 443), TargetRefused);
  await assert.rejects(inside.resolve("[::ffff:7f00:1]", 80), TargetRefused);
});

test("the operator opens blocks, one host and port, or everything private", async () => {
  const lookup = resolvesTo("10.0.0.1");
  const block = createTargets(rules({ lookup, allow: ["10.0.0.0/8"] }));
  assert.equal((await block.resolve("a.example", 1)).address, "10.0.0.1");
  const one = createTargets(rules({ lookup, allow: ["hook.example:8080", "[::1]:9"] }));
  assert.equal((await one.resolve("hook.example", 8080)).address, "10.0.0.1");
  assert.equal((await one.resolve("[::1]", 9)).address, "::1");
  await assert.rejects(one.resolve("hook.example", 8081), TargetRefused);
  const all = createTargets(rules({ lookup, allowPrivate: true }));
  assert.equal((await all.resolve("b.example", 1)).address, "10.0.0.1");
  for (const text of ["10.0.0.0/8", "fd00::/8", "10.0.0.1", "host:80", "[::1]:80"]) {
    checkDeliveryAllow(text);
  }
  for (const text of ["0.0.0.0/0", "host", "10.0.0.0/33", ""]) {
    assert.throws(() => checkDeliveryAllow(text), text);
  }
});

test("the server's own port is closed by every address of the machine", async () => {
  const own = createTargets(rules({ allowPrivate: true }));
  for (const host of ["203.0.113.9", "127.0.0.1", "127.0.0.2", "[::1]"]) {
    await assert.rejects(own.resolve(host, 4566), TargetRefused);
  }
  assert.equal((await own.resolve("203.0.113.9", 80)).address, "203.0.113.9");
  // Other spellings of this machine, and the port of a private endpoint.
  for (const host of ["0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:2]", "[::ffff:0:0]"]) {
    await assert.rejects(own.resolve(host, 4567), TargetRefused, host);
    assert.ok(await own.resolve(host, 80), "the twin: another port there is opened");
  }
  const block = createTargets(rules({ allow: ["127.0.0.0/8"] }));
  await assert.rejects(block.resolve("127.0.0.1", 4566), TargetRefused);
  const meant = createTargets(rules({ allow: ["127.0.0.1:4566"] }));
  assert.equal((await meant.resolve("127.0.0.1", 4566)).address, "127.0.0.1");
});

test("the connection goes to the address that was checked; redirects lead nowhere", async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  let asked = 0;
  const lookup: TargetRules["lookup"] = async () => {
    asked += 1;
    // A resolver that answers another address the second time gains nothing.
    return [{ address: asked === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
  };
  const targets = createTargets(rules({ lookup, allow: ["127.0.0.1/32"] }));
  receiver.answer = (_request, response) =>
    void response.writeHead(302, { location: "http://169.254.169.254/" }).end("moved");
  const url = new URL(`http://rebinding.example:${receiver.port}/x?y=1`);
  const answer = await exchange(targets, { url, headers: { a: "b" }, body: "höhe" });
  assert.equal(answer.statusCode, 302);
  assert.equal(asked, 1);
  assert.equal(receiver.requests.length, 1);
  assert.equal(receiver.requests[0]?.path, "/x?y=1");
  assert.equal(receiver.requests[0]?.headers.host, `rebinding.example:${receiver.port}`);
  assert.equal(receiver.requests[0]?.body, "höhe");
});

test("however an address is written, it is the one that it stands for", async () => {
  const closed = createTargets(
    rules({ lookup: async () => [{ address: "127.0.0.1", family: 4 }] }),
  );
  const open = createTargets(rules({ allowPrivate: true, lookup: resolvesTo("127.0.0.1") }));
  const spellings =
    "127.0.0.1 2130706433 0x7f000001 017700000001 127.1 0177.0.0.1 localhost LOCALHOST. 0 " +
    "[::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] " +
    "[2002:7f00:1::] 169.254.169.254 [fe80::a9fe:a9fe] [fd00:ec2::254] 100.100.100.200 10.0.0.1";
  for (const host of spellings.split(" ")) {
    const url = new URL(`http://${host}:9/`);
    await assert.rejects(reachThrough(closed)(url), TargetRefused, host);
    assert.ok(await reachThrough(open)(url), "the twin");
  }
});

test("an endpoint that never answers, or answers without end, is left", async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const targets = createTargets(rules({ allow: ["127.0.0.0/8"] }));
  const url = new URL(receiver.url);
  receiver.answer = () => {};
  await assert.rejects(exchange(targets, { url, headers: {}, body: "" }, 100), /timeout/);
  receiver.answer = (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(4096)));
    };
    response.on("drain", more);
    more();
  };
  const answer = await exchange(targets, { url, headers: {}, body: "" });
  assert.equal(answer.text.length, 16_384);
});
