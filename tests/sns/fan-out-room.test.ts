// Goal: publications that find no room wait and then go on, whatever becomes of those before them.
// Method: SNS in process with room for one delivery, many publishers at once, refusals and changes
// of the configuration among them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRoom, type Room } from "../../src/gateway/room.ts";
import { Refusal } from "../../src/kernel/errors.ts";
import { queueArn, snsInProcess } from "./in-process.ts";

const publishers = 24;

interface Watched extends Room {
  readonly held: { now: number; most: number };
}

function watchedRoom(bytesMax: number): Watched {
  const room = createRoom(bytesMax);
  const held = { now: 0, most: 0 };
  return {
    held,
    async take(bytes) {
      const taken = await room.take(bytes);
      held.now += taken;
      held.most = Math.max(held.most, held.now);
      return taken;
    },
    giveBack(bytes) {
      held.now -= bytes;
      room.giveBack(bytes);
    },
  };
}

const attributes = (fifo: boolean) =>
  fifo ? { FifoTopic: "true", ContentBasedDeduplication: "true" } : {};

for (const fifo of [false, true]) {
  test(`a storm of publications to a ${fifo ? "FIFO" : "standard"} topic`, async (t) => {
    const room = watchedRoom(1);
    const bed = await snsInProcess(t, { room });
    const suffix = fifo ? ".fifo" : "";
    const { TopicArn } = await bed.call<{ TopicArn: string }>("CreateTopic", {
      Name: `t${suffix}`,
      Attributes: { KmsMasterKeyId: "k", ...attributes(fifo) },
    });
    for (const name of ["a", "b"]) {
      const Endpoint = `${queueArn}-${name}${suffix}`;
      await bed.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint });
    }
    const publish = (Message: string) =>
      bed.call("Publish", { TopicArn, Message, ...(fifo ? { MessageGroupId: "g" } : {}) });
    const all = Array.from({ length: publishers }, (_, index) => publish(String(index)));
    // Decided under an older configuration: decided again.
    for (const AttributeValue of ["one", "two"]) {
      const change = { TopicArn, AttributeName: "DisplayName", AttributeValue };
      await bed.call("SetTopicAttributes", change);
    }
    await Promise.all(all);
    assert.equal(bed.sent.length, publishers * 2);
    assert.deepEqual(room.held, { now: 0, most: 1 }, "one at a time, and all of it given back");
    bed.forgetDataKeys();
    bed.failing.topicKey = new Refusal("AccessDenied", "no");
    const refused = await Promise.allSettled(Array.from({ length: 5 }, () => publish("refused")));
    assert.ok(refused.every(({ status }) => status === "rejected"));
    assert.equal(room.held.now, 0);
    bed.failing.topicKey = undefined;
    await publish("after them");
    assert.equal(bed.sent.length, (publishers + 1) * 2);
  });
}

test("the twin: a room that is never left lets one in, and no other", async (t) => {
  const room = createRoom(1);
  const bed = await snsInProcess(t, { room: { take: (bytes) => room.take(bytes), giveBack() {} } });
  const { TopicArn } = await bed.call<{ TopicArn: string }>("CreateTopic", { Name: "t" });
  await bed.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint: queueArn });
  await bed.call("Publish", { TopicArn, Message: "first" });
  let answered = false;
  const second = bed.call("Publish", { TopicArn, Message: "second" }).then(() => {
    answered = true;
  });
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  room.giveBack(1);
  await second;
});
