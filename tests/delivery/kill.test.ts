// Goal: a notification for an endpoint outside survives kill -9 at any moment, sealed until it is
// delivered: every acknowledged one arrives at least once. Method: a server in a process of its
// own, a receiver that stops answering, publications under way while the server is killed (the
// moment is random), a new server on the same folder.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newDataFolder, removeFolder, startChild } from "../durability/child.ts";
import { filesWith, formsOf } from "../encryption/files.ts";
import { sendRaw } from "../harness/raw.ts";
import { type ReceivedRequest, startReceiver } from "./receiver.ts";

const rounds = process.env.SEALPOST_TEST_LONG === "1" ? 20 : 3;
const flags = ["--delivery-allow", "127.0.0.0/8", "--log-level", "error"];
/** A retry each second, so that nobody waits long. */
const DeliveryPolicy = JSON.stringify({
  healthyRetryPolicy: { numRetries: 100, minDelayTarget: 1, maxDelayTarget: 1 },
});

test("every acknowledged notification arrives, whenever the server is killed", async (t) => {
  const folder = newDataFolder();
  t.after(() => removeFolder(folder));
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  let server = await startChild(folder, flags);
  t.after(() => server.kill());
  const { TopicArn = "" } = await server.clients.sns.createTopic({
    Name: "t",
    Attributes: { KmsMasterKeyId: "alias/aws/sns" },
  });
  const Attributes = { DeliveryPolicy, RawMessageDelivery: "true" };
  const endpoint = { TopicArn, Protocol: "http", Endpoint: receiver.url, Attributes };
  await server.clients.sns.subscribe(endpoint);
  const [request] = await receiver.waitFor(1);
  const url = JSON.parse(request?.body ?? "").SubscribeURL;
  const answer = await sendRaw({ url, method: "GET", headers: {}, body: "", ca: server.ca });
  assert.equal(answer.status, 200, answer.body);

  const acknowledged: string[] = [];
  const arrived = new Set<string>();
  let away = true;
  receiver.answer = ({ body }: ReceivedRequest, response) => {
    if (away) return void response.writeHead(503).end();
    arrived.add(body);
    response.end();
  };
  for (let round = 0; round < rounds; round += 1) {
    away = true;
    const { sns } = server.clients;
    const publications = Array.from({ length: 30 }, async (_, index) => {
      const Message = `secret-${round}-${index}-${"x".repeat(20)}`;
      await sns.publish({ TopicArn, Message });
      acknowledged.push(Message);
    });
    const enough = Math.floor(performance.now() * 1000) % 30;
    // Some of the round's publications are acknowledged, or all have ended: then it is killed.
    const ended = Promise.allSettled(publications).then(() => true);
    const before = round * 30 + enough;
    while (acknowledged.length < before) {
      if (await Promise.race([ended, nextTurn()])) break;
    }
    await server.kill();
    await Promise.allSettled(publications);
    const secret = formsOf(Buffer.from(`secret-${round}-`));
    assert.deepEqual(filesWith(folder, secret), [], "sealed in the store");
    away = false;
    server = await startChild(folder, flags);
    const missing = () => acknowledged.filter((message) => !arrived.has(message));
    for (let seen = receiver.requests.length; missing().length > 0; seen += 1) {
      await receiver.waitFor(seen + 1);
    }
  }
  t.diagnostic(`${acknowledged.length} acknowledged, ${arrived.size} arrived`);
  assert.ok(acknowledged.length > 0);
});

function nextTurn(): Promise<false> {
  return new Promise((resolve) => setImmediate(resolve, false));
}
