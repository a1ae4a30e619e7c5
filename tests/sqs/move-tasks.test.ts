// Goal: move tasks bring dead letters back, as fast as allowed, sealed as they were, and go on
// after a restart. Method: the service over the real store, its rounds run by hand on a clock moved
// by hand.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ListMessageMoveTasksResultEntry, Message } from "@aws-sdk/client-sqs";
import { accountId, type InProcess, region, sqsInProcess, userNamed } from "./in-process.ts";
import { counts, refused, url } from "./one-queue.ts";

const arn = (name: string) => `arn:aws:sqs:${region}:${accountId}:${name}`;
const redrive = (target: string, maxReceiveCount = 1) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(target), maxReceiveCount }),
});

async function scene(t: TestContext, fifo = false) {
  const here = await sqsInProcess(t);
  const suffix = fifo ? ".fifo" : "";
  const create = (name: string, attributes: Record<string, string> = {}) =>
    here.call("CreateQueue", {
      QueueName: name + suffix,
      Attributes: { ...(fifo && { FifoQueue: "true" }), ...attributes },
    });
  await create("dead");
  await create("orders", redrive(`dead${suffix}`));
  return { here, create };
}

async function receive(here: InProcess, name: string, count = 10) {
  const { Messages = [] } = await here.call<{ Messages?: readonly Message[] }>("ReceiveMessage", {
    QueueUrl: url(name),
    MaxNumberOfMessages: count,
    MessageSystemAttributeNames: ["All"],
  });
  return Messages;
}

/** Sends so many to `from` and lets them die there. */
async function die(here: InProcess, count: number, from = "orders", more: object = {}) {
  for (let n = 0; n < count; n++) {
    const MessageBody = `body ${n}`;
    await here.call("SendMessage", { QueueUrl: url(from), MessageBody, ...more });
  }
  for (let n = 0; n < count; n += 10) await receive(here, from);
  await here.clock.advance(31_000);
  while ((await counts(here, from))[0]) await receive(here, from);
}

const start = (here: InProcess, SourceArn: string, more: object = {}) =>
  here.call<{ TaskHandle: string }>("StartMessageMoveTask", { SourceArn, ...more });

async function tasks(here: InProcess, name = "dead", MaxResults = 10) {
  const { Results = [] } = await here.call<{ Results?: ListMessageMoveTasksResultEntry[] }>(
    "ListMessageMoveTasks",
    { SourceArn: arn(name), MaxResults },
  );
  return Results;
}

/** Rounds without a pause, until none is due now. */
async function run(here: InProcess) {
  for (let round = 0; round < 1000; round++) {
    const nextMs = await here.moveMessages();
    if (nextMs === undefined || nextMs > here.clock.now()) return;
  }
  assert.fail("the task does not come to an end");
}

test("dead letters go back to their source as new messages", async (t) => {
  const { here } = await scene(t);
  await die(here, 3);
  assert.deepEqual(await counts(here, "dead"), [3, 0, 0]);
  const [dead] = await receive(here, "dead", 1);
  await here.clock.advance(31_000);
  assert.equal(dead?.Attributes?.DeadLetterQueueSourceArn, arn("orders"));
  await start(here, arn("dead"));
  await run(here);
  assert.deepEqual(await counts(here, "dead"), [0, 0, 0]);
  const back = await receive(here, "orders");
  assert.deepEqual(back.map(({ Body }) => Body).sort(), ["body 0", "body 1", "body 2"]);
  const [one] = back;
  assert.equal(one?.Attributes?.ApproximateReceiveCount, "1");
  assert.equal(one?.Attributes?.SentTimestamp, String(here.clock.now()));
  assert.equal(one?.Attributes?.DeadLetterQueueSourceArn, undefined);
  assert.ok(!back.some(({ MessageId }) => MessageId === dead?.MessageId));
  const [task, ...others] = await tasks(here);
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...task, StartedTimestamp: 0 },
    {
      Status: "COMPLETED",
      SourceArn: arn("dead"),
      DestinationArn: undefined,
      MaxNumberOfMessagesPerSecond: undefined,
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
      FailureReason: undefined,
      StartedTimestamp: 0,
    },
  );
});

test("a rate is kept by the service clock, and progress is shown", async (t) => {
  const { here, create } = await scene(t);
  await create("other");
  await die(here, 10);
  const MaxNumberOfMessagesPerSecond = 4;
  const DestinationArn = arn("other");
  const { TaskHandle } = await start(here, arn("dead"), {
    MaxNumberOfMessagesPerSecond,
    DestinationArn,
  });
  const moved: (number | undefined)[] = [];
  for (let second = 0; second < 4; second++) {
    await run(here);
    await here.clock.advance(500);
    await run(here);
    const [task] = await tasks(here);
    moved.push(task?.ApproximateNumberOfMessagesMoved);
    assert.equal(task?.TaskHandle, task?.Status === "RUNNING" ? TaskHandle : undefined);
    await here.clock.advance(500);
  }
  assert.deepEqual(moved, [4, 8, 10, 10]);
  assert.equal((await tasks(here))[0]?.Status, "COMPLETED");
  assert.deepEqual(await counts(here, "other"), [10, 0, 0]);
});

test("a cancelled task stops, answers its count, and cannot be cancelled again", async (t) => {
  const { here } = await scene(t);
  await die(here, 6);
  const { TaskHandle } = await start(here, arn("dead"), { MaxNumberOfMessagesPerSecond: 2 });
  await assert.rejects(
    start(here, arn("dead")),
    refused("InvalidParameterValue", /^There is already a task running\. Only one active task/),
  );
  await run(here);
  const cancel = (handle: string) => here.call("CancelMessageMoveTask", { TaskHandle: handle });
  assert.deepEqual(await cancel(TaskHandle), { ApproximateNumberOfMessagesMoved: 2 });
  await here.clock.advance(10_000);
  await run(here);
  assert.deepEqual(await counts(here, "dead"), [4, 0, 0]);
  assert.equal((await tasks(here))[0]?.Status, "CANCELLED");
  const absent = refused("ResourceNotFoundException", /^Task does not exist\.$/);
  await assert.rejects(cancel(TaskHandle), absent);
  const handle = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64");
  await assert.rejects(cancel(handle({ taskId: "x", sourceArn: arn("dead") })), absent);
  await assert.rejects(
    cancel(handle({ taskId: "x", sourceArn: arn("none") })),
    refused("ResourceNotFoundException", /for the SourceArn parameter doesn't exist\.$/),
  );
  const invalid = /^Value for parameter TaskHandle is invalid\.$/;
  await assert.rejects(cancel("garbage"), refused("InvalidParameterValue", invalid));
  // Another one may start, and is listed first.
  await here.clock.advance(1000);
  await start(here, arn("dead"));
  await run(here);
  assert.deepEqual(
    (await tasks(here)).map(({ Status }) => Status),
    ["COMPLETED", "CANCELLED"],
  );
  assert.equal((await tasks(here, "dead", 1)).length, 1);
});

test("a chain of two dead-letter queues is redriven step by step, sealed as it was", async (t) => {
  const here = await sqsInProcess(t);
  const create = (QueueName: string, Attributes: Record<string, string>) =>
    here.call("CreateQueue", { QueueName, Attributes });
  await create("second", { KmsMasterKeyId: "alias/second" });
  await create("first", { KmsMasterKeyId: "alias/first", ...redrive("second") });
  await create("orders", { KmsMasterKeyId: "alias/orders", ...redrive("first") });
  await die(here, 2);
  await receive(here, "first");
  await here.clock.advance(31_000);
  await receive(here, "first");
  assert.deepEqual(await counts(here, "second"), [2, 0, 0]);
  // Only the key of the queue that sealed it opens it, wherever it lies.
  await here.clock.advance(300_000);
  const asked = new Set<string>();
  here.kms.open = (keyArn) => asked.add(keyArn);
  const [dead] = await receive(here, "second", 1);
  assert.equal(dead?.Attributes?.DeadLetterQueueSourceArn, arn("first"));
  assert.deepEqual([...asked], ["alias/orders"]);
  await here.clock.advance(31_000);
  for (const name of ["second", "first"]) {
    await start(here, arn(name));
    await run(here);
    assert.equal((await tasks(here, name))[0]?.Status, "COMPLETED");
  }
  const back = await receive(here, "orders");
  assert.deepEqual(back.map(({ Body }) => Body).sort(), ["body 0", "body 1"]);
  assert.deepEqual([...asked], ["alias/orders"]);
});

test("a task goes on after a restart", async (t) => {
  const { here } = await scene(t);
  await die(here, 5);
  await start(here, arn("dead"), { MaxNumberOfMessagesPerSecond: 2 });
  await run(here);
  // Another service on the same store knows nothing but what is stored.
  const again = here.restart();
  await here.clock.advance(2000);
  await run(again);
  await here.clock.advance(2000);
  await run(again);
  await here.clock.advance(26_000);
  await run(again);
  const [task] = await tasks(again);
  assert.deepEqual([task?.Status, task?.ApproximateNumberOfMessagesMoved], ["COMPLETED", 5]);
});

test("what a process that died had claimed for its task is moved too", async (t) => {
  const { here } = await scene(t);
  await die(here, 3);
  // A receive stands for the claim: nobody can tell them apart.
  await receive(here, "dead", 1);
  await start(here, arn("dead"));
  const again = here.restart();
  const state = async () => {
    await run(again);
    const [task] = await tasks(again);
    return [task?.Status, task?.ApproximateNumberOfMessagesMoved];
  };
  assert.deepEqual(await state(), ["RUNNING", 2]);
  await here.clock.advance(30_000);
  assert.deepEqual(await state(), ["COMPLETED", 3]);
  // The twin: a task that nobody else worked on does not wait for what consumers hold.
  await receive(again, "orders");
  await die(again, 0);
  assert.deepEqual(await counts(again, "dead"), [3, 0, 0]);
  await receive(again, "dead", 1);
  await start(again, arn("dead"));
  assert.deepEqual(await state(), ["COMPLETED", 2]);
});

test("messages whose source is unknown stay, and the task says so", async (t) => {
  const { here } = await scene(t);
  await here.call("SendMessage", { QueueUrl: url("dead"), MessageBody: "sent here" });
  await die(here, 2);
  await start(here, arn("dead"));
  await run(here);
  const [task] = await tasks(here);
  assert.deepEqual(
    [task?.Status, task?.FailureReason, task?.ApproximateNumberOfMessagesMoved],
    ["FAILED", "CouldNotDetermineMessageSource", 2],
  );
  assert.deepEqual(await counts(here, "dead"), [1, 0, 0]);
  const [left] = await receive(here, "dead");
  assert.deepEqual([left?.Body, left?.Attributes?.ApproximateReceiveCount], ["sent here", "1"]);
});

test("a destination that is deleted meanwhile fails the task", async (t) => {
  const { here, create } = await scene(t);
  await create("other");
  await die(here, 4);
  const DestinationArn = arn("other");
  await start(here, arn("dead"), { DestinationArn, MaxNumberOfMessagesPerSecond: 1 });
  await run(here);
  await here.call("DeleteQueue", { QueueUrl: url("other") });
  await here.clock.advance(1000);
  await run(here);
  const [task] = await tasks(here);
  const reason = "AWS.SimpleQueueService.NonExistentQueue";
  assert.deepEqual([task?.Status, task?.FailureReason], ["FAILED", reason]);
  assert.deepEqual(await counts(here, "dead"), [3, 0, 0]);
});

test("FIFO queues: groups and their order survive both ways", async (t) => {
  const { here } = await scene(t, true);
  const send = (MessageGroupId: string, MessageBody: string) =>
    here.call("SendMessage", {
      QueueUrl: url("orders.fifo"),
      MessageBody,
      MessageGroupId,
      MessageDeduplicationId: MessageBody,
    });
  for (const body of ["a1", "a2", "b1"]) await send(body.charAt(0), body);
  const sent = await receive(here, "orders.fifo");
  await here.clock.advance(31_000);
  await receive(here, "orders.fifo");
  await receive(here, "orders.fifo");
  const dead = await receive(here, "dead.fifo");
  const facts = dead.map(({ Body, Attributes }) => [
    Body,
    Attributes?.MessageGroupId,
    Attributes?.MessageDeduplicationId,
  ]);
  assert.deepEqual(
    facts,
    sent.map(({ Body = "", MessageId }) => [Body, Body.charAt(0), MessageId]),
  );
  await here.clock.advance(31_000);
  await start(here, arn("dead.fifo"));
  await run(here);
  assert.deepEqual(
    (await receive(here, "orders.fifo")).map(({ Body }) => Body),
    ["a1", "a2", "b1"],
  );
});

test("each wrong start has AWS's text, and each right that is needed is asked for", async (t) => {
  const { here, create } = await scene(t);
  await create("other");
  await here.call("CreateQueue", { QueueName: "x.fifo", Attributes: { FifoQueue: "true" } });
  const invalid = (text: RegExp) => refused("InvalidParameterValue", text);
  const absent = (name: string) =>
    refused("ResourceNotFoundException", new RegExp(`the ${name} parameter doesn't exist\\.$`));
  const to = (name: string) => ({ DestinationArn: arn(name) });
  await assert.rejects(start(here, arn("other")), invalid(/must be configured as a Dead Letter/));
  await assert.rejects(start(here, arn("none")), absent("SourceArn"));
  await assert.rejects(start(here, arn("dead"), to("none")), absent("DestinationArn"));
  await assert.rejects(start(here, "dead"), invalid(/^You must use this format to specify the So/));
  await assert.rejects(start(here, arn("dead"), to("dead")), invalid(/cannot be the same\.$/));
  await assert.rejects(
    start(here, arn("dead"), to("x.fifo")),
    invalid(/of the same queue type\.$/),
  );
  for (const MaxNumberOfMessagesPerSecond of [0, 501]) {
    const rate = { MaxNumberOfMessagesPerSecond };
    await assert.rejects(start(here, arn("dead"), rate), invalid(/between 1 and 500\.$/));
  }
  here.uses.length = 0;
  await start(here, arn("dead"), to("other"));
  const asked = here.uses[0]?.map(({ arn: of, action }) => `${action} ${of.split(":")[5]}`);
  assert.deepEqual(asked, [
    "sqs:StartMessageMoveTask dead",
    "sqs:ReceiveMessage dead",
    "sqs:DeleteMessage dead",
    "sqs:GetQueueAttributes dead",
    "sqs:SendMessage other",
  ]);
  await run(here);
  // A dead-letter queue that no longer admits its source is none.
  await here.call("SetQueueAttributes", {
    QueueUrl: url("dead"),
    Attributes: { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' },
  });
  await assert.rejects(start(here, arn("dead")), invalid(/must be configured as a Dead Letter/));
  const foreign = { caller: userNamed("bob", "999999999999") };
  here.uses.length = 0;
  await here.call("ListMessageMoveTasks", { SourceArn: arn("dead") }, foreign);
  assert.equal(here.uses[0]?.[0]?.policy, undefined);
});
