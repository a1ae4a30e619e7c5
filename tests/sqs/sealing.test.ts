import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import type { RecordGetQuery } from "../../src/kernel/command.ts";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import type { MoveMessages } from "../../src/services/sqs/store.ts";
import { accountId, type InProcess, region } from "./in-process.ts";
import { counts, refused, url, withQueue } from "./one-queue.ts";

// Goal: what KMS refuses costs nothing, and a body that was moved by hand does not open.
// Method: the service over the real store and sealer, with a switch in the place of KMS.

const denied = () => {
  throw new Refusal("AccessDeniedException", "User: alice is not authorized");
};

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

/** A queue with a dead-letter queue after two receives, holding a message under an old key. */
async function withOldMessage(t: TestContext) {
  const one = await withQueue(t, { KmsMasterKeyId: "alias/old" });
  const { here, send } = one;
  await here.call("CreateQueue", { QueueName: "dead" });
  const deadLetterTargetArn = `arn:aws:sqs:${region}:${accountId}:dead`;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 });
  await send("old");
  const Attributes = { KmsMasterKeyId: "alias/new", RedrivePolicy };
  await here.call("SetQueueAttributes", { QueueUrl: url("orders"), Attributes });
  const refuse = (code: string) => {
    here.kms.open = (keyArn) => {
      if (keyArn === "alias/old") throw new Refusal(code, "no");
    };
  };
  return { ...one, refuse };
}

test("while the queue goes on, what is refused counts and is redriven, one at a time too", async (t) => {
  const { here, send, receive, refuse } = await withOldMessage(t);
  refuse("AccessDeniedException");
  for (const body of ["first", "second", "third"]) {
    await send(body);
    const [got] = await receive({ MaxNumberOfMessages: 1 });
    assert.equal(got?.Body, body);
    await here.call("DeleteMessage", {
      QueueUrl: url("orders"),
      ReceiptHandle: got?.ReceiptHandle,
    });
    await here.clock.advance(30_000);
  }
  assert.deepEqual(await counts(here), [0, 0, 0]);
  assert.deepEqual(await counts(here, "dead"), [1, 0, 0]);
  here.kms.open = undefined;
  const [dead] = await receive({}, "dead");
  assert.equal(dead?.Body, "old", "the envelope came along as it was");
});

test("where nothing opens a refusal counts nothing, unless the key is gone for ever", async (t) => {
  const { here, receive, refuse } = await withOldMessage(t);
  for (const code of ["DisabledException", "AccessDeniedException", "KMSInvalidStateException"]) {
    refuse(code);
    for (let n = 0; n < 5; n++) await assert.rejects(receive());
    assert.deepEqual(await counts(here), [1, 0, 0], code);
  }
  refuse("AccessDeniedException");
  here.kms.gone = "alias/old";
  for (let n = 0; n < 2; n++) {
    await assert.rejects(receive(), refused("KmsAccessDenied"));
    assert.deepEqual(await counts(here), [0, 1, 0], "it stays and counts");
    assert.deepEqual(await receive(), [], "nobody is refused for what another holds");
    await here.clock.advance(30_000);
  }
  assert.deepEqual(await receive(), []);
  assert.deepEqual(await counts(here), [0, 0, 0]);
  assert.deepEqual(await counts(here, "dead"), [1, 0, 0]);
});

test("a KMS that is out of reach or too busy counts against no message", async (t) => {
  const { here, send, receive, refuse } = await withOldMessage(t);
  refuse("ThrottlingException");
  await send("new");
  for (let n = 0; n < 4; n++) {
    const [got] = await receive({ VisibilityTimeout: 1 });
    assert.equal(got?.Body, "new");
    assert.deepEqual(await counts(here), [1, 1, 0]);
    await here.call("ChangeMessageVisibility", {
      QueueUrl: url("orders"),
      ReceiptHandle: got?.ReceiptHandle,
      VisibilityTimeout: 0,
    });
    if (n === 0) break;
  }
  here.kms.open = undefined;
  const got = await receive({ MaxNumberOfMessages: 10 });
  const old = got.find(({ Body }) => Body === "old");
  assert.equal(old?.Attributes?.ApproximateReceiveCount, "1");
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

test("a consumer of one at a time gets past messages that KMS refuses, however many", async (t) => {
  const { here, send, receive } = await withQueue(t, { KmsMasterKeyId: "alias/old" });
  const bad = 60;
  for (let n = 0; n < bad; n++) await send("old");
  await here.clock.advance(1000);
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders"),
    Attributes: { KmsMasterKeyId: "alias/new" },
  });
  await send("new");
  let asked = 0;
  here.kms.open = (keyArn) => {
    asked++;
    if (keyArn === "alias/old") denied();
  };
  // What was refused goes behind, so that each receive meets others: bounded, never blocked.
  let refusals = 0;
  for (;;) {
    await here.clock.advance(1);
    const got = await receive({ MaxNumberOfMessages: 1 }).catch(() => undefined);
    if (got) {
      assert.deepEqual(
        got.map(({ Body }) => Body),
        ["new"],
      );
      break;
    }
    assert.ok(++refusals < bad, "a receive gets past them");
  }
  assert.ok(refusals > 0, "one call does not look through the whole queue");
  assert.ok(asked <= 2 * (refusals + 1), "KMS is asked once per data key and call");
  const [visible = 0, held = 0] = await counts(here);
  assert.equal(visible + held, bad + 1);
  assert.ok(held > 1 && held <= 8, "what the last call met on its way is held with what it found");
});
