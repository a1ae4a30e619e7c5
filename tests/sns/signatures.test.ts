// Goal: a notification is signed once, and never while its publisher waits. Method: SNS and its
// worker over the real store, with a signer that the test holds back; queues keep what they get.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Gap, withGapFilled } from "../../src/kernel/gapped.ts";
import type { HttpDelivery } from "../../src/services/sns/ports.ts";
import { type InProcess, queueArn, snsInProcess } from "./in-process.ts";

async function scene(t: TestContext, Attributes: Record<string, string> = {}) {
  const posted: HttpDelivery[] = [];
  const nowhere = () => assert.fail("only http endpoints are subscribed here");
  const carriers = {
    async http(request: HttpDelivery) {
      posted.push(request);
      return { ok: true, statusCode: 200, response: "" } as const;
    },
    lambda: nowhere,
    mail: nowhere,
  };
  const place = await snsInProcess(t, { carriers });
  const Name = Attributes.FifoTopic ? "t.fifo" : "t";
  const { TopicArn } = await place.call<{ TopicArn: string }>("CreateTopic", { Name, Attributes });
  const subscribe = (Protocol: string, Endpoint: string) =>
    place.call("Subscribe", { TopicArn, Protocol, Endpoint });
  const publish = (more: object = {}) =>
    place.call<{ MessageId: string }>("Publish", { TopicArn, Message: "hällo", ...more });
  return { place, posted, subscribe, publish };
}

function hold(place: InProcess): () => void {
  const held = Promise.withResolvers<void>();
  place.failing.signing = held.promise;
  return held.resolve;
}

function filled(sent: { readonly MessageBody: string; readonly gap?: Gap } | undefined) {
  assert.ok(sent?.gap);
  const text = Buffer.from(sent.MessageBody);
  const filling = Buffer.alloc(sent.gap.bytes, "s");
  return JSON.parse(withGapFilled({ text, gap: sent.gap }, filling).toString("utf8"));
}

test("one publication to 100 queues is one durable act, and signed once", async (t) => {
  const { place, subscribe, publish } = await scene(t);
  for (let index = 0; index < 100; index += 1) await subscribe("sqs", `${queueArn}${index}`);
  await publish();
  const before = { commits: place.commits.count, signatures: place.signatures.count };
  await publish();
  assert.equal(place.sent.length, 200);
  assert.equal(place.commits.count, before.commits + 1);
  assert.equal(place.signatures.count, before.signatures + 1);
});

test("a publication for queues is answered while its signature is not made", async (t) => {
  const { place, subscribe, publish } = await scene(t, { SignatureVersion: "2" });
  await subscribe("sqs", queueArn);
  const release = hold(place);
  const { MessageId } = await publish({ Subject: "grüße" });
  const [sent] = place.sent;
  assert.equal(JSON.parse(sent?.MessageBody ?? "").Signature, "");
  assert.equal(place.signatures.count, 1, "it is being made behind the answer");
  const envelope = filled(sent);
  assert.equal(envelope.MessageId, MessageId);
  assert.equal(envelope.SignatureVersion, "2");
  assert.equal(envelope.Signature, "s".repeat(344));
  assert.deepEqual(Object.keys(envelope).slice(-4, -1), [
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
  ]);
  release();
});

test("twin: what leaves the server waits for its signature", async (t) => {
  const { place, posted, subscribe, publish } = await scene(t);
  await subscribe("http", "http://example.com/a");
  await place.clock.advance(0);
  const confirmation = JSON.parse(posted[0]?.body ?? "");
  await place.call("ConfirmSubscription", {
    TopicArn: confirmation.TopicArn,
    Token: confirmation.Token,
  });
  const release = hold(place);
  await publish();
  const delivered = place.clock.advance(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(posted.length, 1, "the publisher has its answer, the endpoint nothing yet");
  release();
  await delivered;
  assert.equal(JSON.parse(posted[1]?.body ?? "").Signature, "c2ln");
});

test("endpoints and retries of one message share its signature", async (t) => {
  const { place, posted, subscribe, publish } = await scene(t);
  for (const path of ["a", "b", "c"]) {
    await subscribe("http", `http://example.com/${path}`);
    await place.clock.advance(0);
    const { TopicArn, Token } = JSON.parse(posted.at(-1)?.body ?? "");
    await place.call("ConfirmSubscription", { TopicArn, Token });
  }
  await subscribe("sqs", queueArn);
  const before = place.signatures.count;
  await publish();
  await place.clock.advance(0);
  assert.equal(posted.length, 6);
  assert.equal(place.signatures.count, before + 1);
});

test("AWS: notifications of FIFO topics are not signed; raw ones need no signature", async (t) => {
  const fifo = await scene(t, { FifoTopic: "true" });
  await fifo.subscribe("sqs", `${queueArn}.fifo`);
  await fifo.publish({ MessageGroupId: "g", MessageDeduplicationId: "d" });
  assert.equal(fifo.place.sent[0]?.gap, undefined);
  assert.ok(!("Signature" in JSON.parse(fifo.place.sent[0]?.MessageBody ?? "")));
  const plain = await scene(t);
  await plain.place.call("Subscribe", {
    TopicArn: "arn:aws:sns:us-east-1:123456789012:t",
    Protocol: "sqs",
    Endpoint: queueArn,
    Attributes: { RawMessageDelivery: "true" },
  });
  await plain.publish();
  assert.equal(plain.place.sent[0]?.MessageBody, "hällo");
  assert.equal(fifo.place.signatures.count + plain.place.signatures.count, 0);
});
