// Goal: clients that people have work without changes: boto3, the AWS command line, sqs-consumer.
// Method: each against a whole server over HTTPS, through an encrypted standard queue and a FIFO
// queue; what is not on the machine is skipped with a reason.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Consumer } from "sqs-consumer";
import { createQueue, type SqsScene, sqsScene } from "./sqs-scene.ts";

let scene: SqsScene;
before(async () => {
  scene = await sqsScene();
});
after(() => scene.stop());

function lacks(command: string, args: readonly string[]): string | false {
  const found = spawnSync(command, args, { stdio: "ignore" }).status === 0;
  return found ? false : `${command} ${args.join(" ")} does not work on this machine`;
}

/** The server lives in this process: nothing may block it. */
function run(command: string, args: readonly string[]): Promise<string> {
  const { server } = scene;
  const env = {
    PATH: process.env.PATH,
    HOME: server.dataFolder,
    AWS_ENDPOINT_URL: server.httpsUrl,
    AWS_CA_BUNDLE: join(server.dataFolder, "ca.pem"),
    AWS_ACCESS_KEY_ID: server.root.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.root.secretAccessKey,
    AWS_DEFAULT_REGION: server.region,
    AWS_PAGER: "",
  };
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

const boto = `
import boto3, json
sqs = boto3.client("sqs")
plain = sqs.create_queue(QueueName="boto", Attributes={"KmsMasterKeyId": "alias/aws/sqs"})["QueueUrl"]
sqs.send_message(QueueUrl=plain, MessageBody="hello", DelaySeconds=0,
    MessageAttributes={"a": {"DataType": "Binary", "BinaryValue": b"\\x00\\xff"}})
got = sqs.receive_message(QueueUrl=plain, MessageAttributeNames=["All"], WaitTimeSeconds=5)
message = got["Messages"][0]
assert message["Body"] == "hello"
assert message["MessageAttributes"]["a"]["BinaryValue"] == b"\\x00\\xff"
sqs.delete_message(QueueUrl=plain, ReceiptHandle=message["ReceiptHandle"])
assert "Messages" not in sqs.receive_message(QueueUrl=plain)
fifo = sqs.create_queue(QueueName="boto.fifo",
    Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
entries = [{"Id": str(n), "MessageBody": "m%d" % n, "MessageGroupId": "g"} for n in range(10)]
sent = sqs.send_message_batch(QueueUrl=fifo, Entries=entries)["Successful"]
numbers = [entry["SequenceNumber"] for entry in sent]
assert numbers == sorted(numbers) and len(set(numbers)) == 10
got = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)["Messages"]
assert [m["Body"] for m in got] == ["m%d" % n for n in range(10)]
try:
    sqs.delete_message(QueueUrl=plain, ReceiptHandle="garbage")
    raise SystemExit("garbage was taken")
except sqs.exceptions.ReceiptHandleIsInvalid as error:
    assert error.response["Error"]["Code"] == "ReceiptHandleIsInvalid"
try:
    sqs.get_queue_url(QueueName="none")
    raise SystemExit("there is no such queue")
except sqs.exceptions.QueueDoesNotExist as error:
    assert error.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
resource = boto3.resource("sqs").get_queue_by_name(QueueName="boto.fifo")
assert resource.attributes["FifoQueue"] == "true"
print("done")
`;

test("boto3", { skip: lacks("python3", ["-c", "import boto3"]) }, async () => {
  assert.equal(await run("python3", ["-c", boto]), "done\n");
});

test("the AWS command line", { skip: lacks("aws", ["--version"]) }, async () => {
  const sqs = async (...args: string[]) => {
    // Versions before AWS_ENDPOINT_URL take the address this way only.
    const endpoint = ["--endpoint-url", scene.server.httpsUrl];
    const text = await run("aws", ["sqs", ...args, ...endpoint, "--output", "json"]);
    return text === "" ? {} : JSON.parse(text);
  };
  const attributes = "FifoQueue=true,ContentBasedDeduplication=true";
  const created = await sqs("create-queue", "--queue-name", "cli.fifo", "--attributes", attributes);
  const url = ["--queue-url", created.QueueUrl];
  const group = ["--message-group-id", "g"];
  const sent = await sqs("send-message", ...url, "--message-body", "hello", ...group);
  const again = await sqs("send-message", ...url, "--message-body", "hello", ...group);
  assert.equal(again.MessageId, sent.MessageId);
  const { Messages } = await sqs("receive-message", ...url, "--attribute-names", "All");
  assert.equal(Messages[0].Body, "hello");
  assert.equal(Messages[0].Attributes.SequenceNumber, sent.SequenceNumber);
  await sqs("delete-message", ...url, "--receipt-handle", Messages[0].ReceiptHandle);
  const names = ["--attribute-names", "ApproximateNumberOfMessages"];
  const { Attributes } = await sqs("get-queue-attributes", ...url, ...names);
  assert.equal(Attributes.ApproximateNumberOfMessages, "0");
});

for (const fifo of [false, true]) {
  test(`sqs-consumer on a ${fifo ? "FIFO" : "standard"} queue`, { timeout: 60_000 }, async () => {
    const name = fifo ? "consumer.fifo" : "consumer";
    const queueUrl = await createQueue(scene.sqs, name, fifo ? { FifoQueue: "true" } : {});
    const count = 25;
    for (let n = 0; n < count; n++) {
      const ids = { MessageGroupId: "g", MessageDeduplicationId: `d${n}` };
      const MessageBody = `m${n}`;
      await scene.sqs.sendMessage({ QueueUrl: queueUrl, MessageBody, ...(fifo && ids) });
    }
    const handled: string[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const consumer = Consumer.create({
      queueUrl,
      sqs: scene.sqs,
      batchSize: 10,
      suppressFifoWarning: true,
      async handleMessage(message) {
        handled.push(message.Body ?? "");
        return message;
      },
    });
    // After the batch with the last message was deleted.
    consumer.on("response_processed", () => {
      if (handled.length === count) resolve();
    });
    consumer.on("error", reject);
    consumer.on("processing_error", reject);
    consumer.start();
    await promise;
    const stopped = new Promise<void>((done) => consumer.once("stopped", () => done()));
    consumer.stop({ abort: true });
    await stopped;
    const expected = Array.from({ length: count }, (_, n) => `m${n}`);
    assert.deepEqual(fifo ? handled : handled.toSorted(), fifo ? expected : expected.toSorted());
    const { Attributes } = await scene.sqs.getQueueAttributes({
      QueueUrl: queueUrl,
      AttributeNames: ["All"],
    });
    assert.equal(Attributes?.ApproximateNumberOfMessages, "0");
    assert.equal(Attributes?.ApproximateNumberOfMessagesNotVisible, "0");
  });
}
