import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import type { RecordGetQuery } from "../../src/kernel/command.ts";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import type { MoveMessages } from "../../src/services/sqs/store.ts";
import { accountId, type InProcess, region, sqsInProcess, userNamed } from "./in-process.ts";

// Goal: what a queue promises around time, keys and damaged rows, down to visibility and counts.
// Method: the service over the real store and sealer, on clocks that move by hand, with a switch
// in the place of KMS.

interface Received {
  readonly Messages?: readonly Message[];
}

const url = (name: string) => `/${accountId}/${name}`;

async function withQueue(t: TestContext, Attributes: Record<string, string> = {}) {
  const here = await sqsInProcess(t);
  await here.call("CreateQueue", { QueueName: "orders", Attributes });
  const send = (MessageBody: string, more: object = {}) =>
    here.call<{ MessageId: string }>("SendMessage", {
      QueueUrl: url("orders"),
      MessageBody,
      ...more,
    });
  const receive = (more: object = {}, name = "orders") =>
    here
      .call<Received>("ReceiveMessage", {
        QueueUrl: url(name),
        MessageSystemAttributeNames: ["All"],
        ...more,
      })
      .then(({ Messages = [] }) => Messages);
  const remove = ({ ReceiptHandle }: Message) =>
    here.call("DeleteMessage", { QueueUrl: url("orders"), ReceiptHandle });
  return { here, send, receive, remove };
}

async function counts(here: InProcess, name = "orders") {
  const { Attributes } = await here.call<{ Attributes: Record<string, string> }>(
    "GetQueueAttributes",
    { QueueUrl: url(name), AttributeNames: ["All"] },
  );
  return [
    Attributes.ApproximateNumberOfMessages,
    Attributes.ApproximateNumberOfMessagesNotVisible,
    Attributes.ApproximateNumberOfMessagesDelayed,
  ].map(Number);
}

const refused = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.code, code);
  if (message) assert.match(error.message, message);
  return true;
};

const denied = () => {
  throw new Refusal("AccessDeniedException", "User: alice is not authorized");
};

test("a sent message is received, hidden, seen again, and deleted", async (t) => {
  const { here, send, receive, remove } = await withQueue(t);
  const { MessageId } = await send("hello");
  const [first] = await receive();
  assert.equal(first?.Body, "hello");
  assert.equal(first?.MessageId, MessageId);
  assert.equal(first?.Attributes?.SenderId, "AIDAALICE");
  assert.equal(first?.Attributes?.ApproximateReceiveCount, "1");
  assert.deepEqual(await receive(), []);
  await here.clock.advance(30_000);
  const [second] = await receive();
  assert.equal(second?.Attributes?.ApproximateReceiveCount, "2");
  assert.equal(
    second?.Attributes?.ApproximateFirstReceiveTimestamp,
    first?.Attributes?.ApproximateFirstReceiveTimestamp,
  );
  assert.ok(first && second);
  await remove(first);
  assert.deepEqual(await counts(here), [0, 1, 0], "an older handle deletes nothing");
  await remove(second);
  await remove(second);
  assert.deepEqual(await counts(here), [0, 0, 0]);
});

test("KMS that refuses all leaves visibility and counts as they were", async (t) => {
  const { here, send, receive } = await withQueue(t, { KmsMasterKeyId: "alias/k" });
  await send("one");
  await send("two");
  here.kms.open = denied;
  const suffix = /alice is not authorized \(Service: AWSKMS; Status Code: 400; Error Code: /;
  await assert.rejects(receive({ MaxNumberOfMessages: 10 }), refused("KmsAccessDenied", suffix));
  assert.deepEqual(await counts(here), [2, 0, 0]);
  here.kms.open = undefined;
  const got = await receive({ MaxNumberOfMessages: 10 });
  assert.deepEqual(
    got.map(({ Attributes }) => Attributes?.ApproximateReceiveCount),
    ["1", "1"],
  );
});

test("of messages under two keys those that open are received, the others stay hidden", async (t) => {
  const { here, send, receive } = await withQueue(t, { KmsMasterKeyId: "alias/old" });
  await send("old");
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders"),
    Attributes: { KmsMasterKeyId: "alias/new" },
  });
  await send("new");
  here.kms.open = (keyArn) => {
    if (keyArn === "alias/old") denied();
  };
  const got = await receive({ MaxNumberOfMessages: 10 });
  assert.deepEqual(
    got.map(({ Body }) => Body),
    ["new"],
  );
  assert.deepEqual(await counts(here), [0, 2, 0]);
});

test("each KMS refusal has its own code, on send too; a fault stays a fault", async (t) => {
  const { here, send, receive } = await withQueue(t, { KmsMasterKeyId: "alias/k" });
  await send("sealed");
  const codes = {
    DisabledException: "KmsDisabled",
    KMSInvalidStateException: "KmsInvalidState",
    NotFoundException: "KmsNotFound",
    InvalidKeyUsageException: "KmsInvalidKeyUsage",
    ThrottlingException: "KmsThrottled",
    SubscriptionRequiredException: "KmsOptInRequired",
  };
  for (const [kmsCode, code] of Object.entries(codes)) {
    here.kms.open = here.kms.generate = () => {
      throw new Refusal(kmsCode, "no");
    };
    await assert.rejects(receive(), refused(code, new RegExp(`Error Code: ${kmsCode};`)));
    await here.clock.advance(300_000);
    await assert.rejects(send("more"), refused(code));
  }
  here.kms.open = () => {
    throw new Fault("key-process-unavailable", "restarting");
  };
  await assert.rejects(receive(), (error) => error instanceof Fault);
  assert.deepEqual(await counts(here), [1, 0, 0]);
});

test("a message put in another place does not open, and hides no other", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await here.call("CreateQueue", { QueueName: "theirs" });
  await send("moved by hand");
  const orders = await identityOf(here, "orders");
  const theirs = await identityOf(here, "theirs");
  const [claim] = await receive({ VisibilityTimeout: 100 });
  assert.ok(claim);
  const move: MoveMessages = {
    kind: "sqs.move",
    from: orders,
    to: theirs,
    nowMs: here.clock.now(),
    messages: [{ ...claimOf(claim), placeMac: Buffer.alloc(32), deadLetterSourceArn: "" }],
  };
  const { status } = await here.store.commit({ decidedUnder: [], commands: [move] });
  assert.equal(status, "done");
  await here.call("SendMessage", { QueueUrl: url("theirs"), MessageBody: "sound" });
  const got = await receive({ MaxNumberOfMessages: 1 }, "theirs");
  assert.deepEqual(
    got.map(({ Body }) => Body),
    ["sound"],
    "one message that does not open never blocks a queue",
  );
  assert.equal(here.logged.length, 1);
  assert.ok(!JSON.stringify(here.logged).includes("moved by hand"));
});

/** Sequence and claim id out of a receipt handle: what a writer of the store would read there. */
function claimOf({ ReceiptHandle = "" }: Message) {
  const bytes = Buffer.from(ReceiptHandle, "base64url");
  return { sequence: Number(bytes.readBigUInt64BE(17)), claimId: bytes.toString("hex", 41, 49) };
}

async function identityOf(here: InProcess, id: string) {
  const query: RecordGetQuery = {
    kind: "record.get",
    accountId,
    region,
    recordKind: "sqs.queue",
    id,
  };
  const { record } = await here.store.query(query);
  const { queueId } = JSON.parse(record?.content ?? "{}") as { readonly queueId: string };
  return { accountId, region, queueId };
}

test("what was received too often moves to the dead-letter queue, whole, and opens there", async (t) => {
  const { here, send, receive } = await withQueue(t, { KmsMasterKeyId: "alias/source" });
  await here.call("CreateQueue", { QueueName: "dead" });
  const deadLetterTargetArn = `arn:aws:sqs:${region}:${accountId}:dead`;
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders"),
    Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: "1" }) },
  });
  const { MessageId } = await send("poison");
  await send("good");
  const [first] = await receive({ VisibilityTimeout: 10 });
  assert.equal(first?.Body, "poison");
  await here.clock.advance(10_000);
  const next = await receive();
  assert.equal(next[0]?.Body, "good", "the look goes on behind what moved");
  assert.deepEqual(await receive({ VisibilityTimeout: 5 }), []);
  const [dead] = await receive({}, "dead");
  assert.equal(dead?.Body, "poison");
  assert.equal(dead?.MessageId, MessageId);
  assert.equal(dead?.Attributes?.ApproximateReceiveCount, "2");
  assert.equal(dead?.Attributes?.SentTimestamp, first?.Attributes?.SentTimestamp);
  const source = `arn:aws:sqs:${region}:${accountId}:orders`;
  assert.equal(dead?.Attributes?.DeadLetterQueueSourceArn, source);
  assert.equal(first?.Attributes?.DeadLetterQueueSourceArn, undefined);
});

test("without its dead-letter queue a queue hands out on", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await here.call("CreateQueue", { QueueName: "dead" });
  const deadLetterTargetArn = `arn:aws:sqs:${region}:${accountId}:dead`;
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders"),
    Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }) },
  });
  await here.call("DeleteQueue", { QueueUrl: url("dead") });
  await send("kept");
  await receive({ VisibilityTimeout: 0 });
  const [again] = await receive();
  assert.equal(again?.Attributes?.ApproximateReceiveCount, "2");
});

test("visibility changes, up to 12 hours from the receive", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await send("held");
  const [message] = await receive();
  const change = (VisibilityTimeout: number) =>
    here.call("ChangeMessageVisibility", {
      QueueUrl: url("orders"),
      ReceiptHandle: message?.ReceiptHandle,
      VisibilityTimeout,
    });
  await change(0);
  assert.deepEqual(await counts(here), [1, 0, 0]);
  await change(43_200);
  assert.deepEqual(await counts(here), [0, 1, 0]);
  await here.clock.advance(1_000);
  await assert.rejects(change(43_200), refused("InvalidParameterValue", /beyond the limit/));
  await change(43_199);
  await here.call("DeleteMessage", {
    QueueUrl: url("orders"),
    ReceiptHandle: message?.ReceiptHandle,
  });
  await assert.rejects(change(5), refused("InvalidParameterValue", /Message does not exist/));
});

test("a delay holds back, and retention ends a message even in flight", async (t) => {
  const { here, send, receive } = await withQueue(t, { MessageRetentionPeriod: "60" });
  await send("late", { DelaySeconds: 20 });
  assert.deepEqual(await counts(here), [0, 0, 1]);
  assert.deepEqual(await receive(), []);
  await here.clock.advance(20_000);
  assert.equal((await receive({ VisibilityTimeout: 10 })).length, 1);
  await here.clock.advance(39_999);
  assert.deepEqual(await counts(here), [1, 0, 0]);
  await here.clock.advance(2);
  assert.deepEqual(await receive(), []);
  await here.sqs.jobs.expireMessages();
  assert.deepEqual(await counts(here), [0, 0, 0]);
});

test("a long poll is answered by a send, a delay that ends, and a visibility that ends", async (t) => {
  const { here, send, receive } = await withQueue(t, { ReceiveMessageWaitTimeSeconds: "20" });
  const sent = receive();
  await send("now");
  assert.equal((await sent)[0]?.Body, "now");
  const visible = receive();
  await waits(here, "visibility");
  await here.clock.advance(30_000);
  assert.equal((await visible)[0]?.Body, "now");
  await send("later", { DelaySeconds: 10 });
  const delayed = receive();
  await waits(here, "visibility");
  await here.clock.advance(10_000);
  assert.equal((await delayed)[0]?.Body, "later");
  assert.equal(here.systemClock.armed.size, 0);
});

test("a long poll ends by its time, its client, and the end of its queue", async (t) => {
  const { here, receive } = await withQueue(t);
  const timed = receive({ WaitTimeSeconds: 20 });
  await waits(here);
  await here.systemClock.advance(20_000);
  assert.deepEqual(await timed, []);
  const client = new AbortController();
  const options = { signal: client.signal };
  const input = { QueueUrl: url("orders"), WaitTimeSeconds: 20 };
  const left = here.call("ReceiveMessage", input, options);
  await waits(here);
  client.abort();
  assert.deepEqual(await left, {});
  const doomed = receive({ WaitTimeSeconds: 20 });
  await waits(here);
  await here.call("DeleteQueue", { QueueUrl: url("orders") });
  await assert.rejects(doomed, refused("QueueDoesNotExist"));
});

test("a long poll goes over to the queue's new life after a purge", async (t) => {
  const { here, send, receive } = await withQueue(t);
  const waiting = receive({ WaitTimeSeconds: 20 });
  await waits(here);
  await here.call("PurgeQueue", { QueueUrl: url("orders") });
  await send("after");
  assert.equal((await waiting)[0]?.Body, "after");
});

test("a purge takes all, rests a minute, and its leftovers are swept", async (t) => {
  const { here, send, receive, remove } = await withQueue(t);
  await send("visible");
  await send("delayed", { DelaySeconds: 60 });
  await send("in flight");
  const [held] = await receive();
  const purge = () => here.call("PurgeQueue", { QueueUrl: url("orders") });
  await purge();
  assert.deepEqual(await counts(here), [0, 0, 0]);
  assert.ok(held);
  await remove(held);
  await assert.rejects(purge(), refused("PurgeQueueInProgress", /on orders is allowed every 60/));
  await here.clock.advance(60_000);
  await purge();
  await here.sqs.jobs.sweepQueues();
  await send("next life");
  assert.equal((await receive()).length, 1);
});

test("a deleted name rests a minute, then the queue is a new one", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await send("gone with its queue");
  await here.call("DeleteQueue", { QueueUrl: url("orders") });
  await assert.rejects(send("nobody"), refused("QueueDoesNotExist"));
  const create = () => here.call("CreateQueue", { QueueName: "orders" });
  await here.clock.advance(59_999);
  await assert.rejects(create(), refused("QueueDeletedRecently"));
  await here.sqs.jobs.sweepQueues();
  await assert.rejects(
    create(),
    refused("QueueDeletedRecently"),
    "the sweep forgets nothing early",
  );
  await here.clock.advance(1);
  await here.sqs.jobs.sweepQueues();
  await create();
  assert.deepEqual(await receive(), []);
});

test("senders are told apart, services by an id of their own", async (t) => {
  const { here, receive } = await withQueue(t);
  const input = { QueueUrl: url("orders"), MessageBody: "x" };
  await here.call("SendMessage", input, { caller: userNamed("bob") });
  await here.call("SendMessage", input, {
    caller: {
      kind: "service",
      service: "sns.amazonaws.com",
      sourceArn: `arn:aws:sns:${region}:${accountId}:t`,
      sourceAccountId: accountId,
    },
  });
  const got = await receive({ MaxNumberOfMessages: 10 });
  const senders = got.map(({ Attributes }) => Attributes?.SenderId ?? "").sort();
  assert.match(senders[0] ?? "", /^AIDA[A-Z2-7]{17}$/);
  assert.equal(senders.includes("AIDABOB"), true);
});

test("the queue's policy speaks for other accounts, but never in what only the owner may do", async (t) => {
  const { here } = await withQueue(t, { KmsMasterKeyId: "alias/k" });
  const foreign = { caller: userNamed("eve", "111122223333") };
  await here.call("AddPermission", {
    QueueUrl: url("orders"),
    Label: "eve",
    AWSAccountIds: ["111122223333"],
    Actions: ["*"],
  });
  const usesOf = async (operation: string, input: object, options = foreign) => {
    await here.call(operation, { QueueUrl: url("orders"), ...input }, options);
    return here.uses.at(-1)?.[0];
  };
  const sent = await usesOf("SendMessage", { MessageBody: "x" });
  assert.ok(sent?.policy);
  assert.equal(sent.secureTransportOnly, true);
  const Tags = { team: "a" };
  const own = await usesOf("TagQueue", { Tags }, { caller: userNamed("alice") });
  assert.ok(own?.policy, "a Deny in it holds for the owner's users");
  assert.deepEqual(own.context, { "aws:requesttag/team": "a", "aws:tagkeys": ["team"] });
  const ownerOnly: readonly [string, object][] = [
    ["TagQueue", { Tags }],
    ["UntagQueue", { TagKeys: ["team"] }],
    ["ListQueueTags", {}],
    ["SetQueueAttributes", { Attributes: { DelaySeconds: "1" } }],
    ["AddPermission", { Label: "b", AWSAccountIds: ["111122223333"], Actions: ["*"] }],
    ["RemovePermission", { Label: "b" }],
    ["DeleteQueue", {}],
  ];
  for (const [operation, input] of ownerOnly) {
    const use = await usesOf(operation, input);
    assert.equal(use?.policy, undefined, operation);
    assert.equal(use?.accountId, accountId);
  }
});

/** Turns of the event loop until a long poll has looked in vain and waits. */
async function waits(here: InProcess, until: "time" | "visibility" = "time"): Promise<void> {
  const clock = until === "time" ? here.systemClock : here.clock;
  for (let turn = 0; turn < 100_000 && clock.armed.size === 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.notEqual(clock.armed.size, 0, "a long poll waits");
}
