// Goal: the memory of large bodies is given back while a message is on its way, and nothing of the
// message is lost by it. Method: the service over the real store; bodies on both sides of the
// length from which memory is given back.
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { url, withQueue } from "./one-queue.ts";

const lengths = [1, 8_191, 8_192, 70_000, 262_000];
const bodyOf = (length: number) => "ü".repeat(Math.ceil(length / 2)).slice(0, length);

interface Answered {
  readonly MD5OfMessageBody: string;
  readonly MessageId: string;
}

test("a body of any length comes back whole, with its MD5", async (t) => {
  const { here, receive } = await withQueue(t);
  for (const length of lengths) {
    const MessageBody = bodyOf(length);
    const input = { QueueUrl: url("orders"), MessageBody };
    const sent = await here.call<Answered>("SendMessage", input);
    // The answer is asked twice: for the client and for the record of a data event.
    assert.equal(sent.MD5OfMessageBody, hash("md5", MessageBody));
    assert.equal(sent.MD5OfMessageBody, hash("md5", MessageBody));
    const [got] = await receive();
    assert.equal(got?.Body, MessageBody);
  }
});

test("a batch of bodies of any length comes back whole, with their MD5s", async (t) => {
  const { here, receive } = await withQueue(t);
  const bodies = lengths.map(bodyOf);
  const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  const input = { QueueUrl: url("orders"), Entries };
  const { Successful } = await here.call<{ Successful: readonly Answered[] }>(
    "SendMessageBatch",
    input,
  );
  const digests = bodies.map((body) => hash("md5", body));
  assert.deepEqual(
    Successful.map(({ MD5OfMessageBody }) => MD5OfMessageBody),
    digests,
  );
  const received: (string | undefined)[] = [];
  while (received.length < bodies.length) {
    received.push(...(await receive()).map(({ Body }) => Body));
  }
  assert.deepEqual(received.toSorted(), bodies.toSorted());
});
