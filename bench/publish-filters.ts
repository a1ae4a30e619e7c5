/**
 * What a publication costs that meets one of many filter policies: `node bench/publish-filters.ts`.
 * Goal: with 10,000 subscriptions at most 3 times what it costs with 10. A server as users start
 * it, one publisher, one encrypted queue behind the policy that is met; rounds of both take turns.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { startServer } from "./server.ts";

const factorMax = 3;
const [few, many] = [10, 10_000];
const rounds = 5;
const publicationsPerRound = 200;
const subscribesAtOnce = 40;

const folder = mkdtempSync(join(tmpdir(), "sealpost-publish-filters-"));
const server = await startServer(folder);
const { accessKeyId, secretAccessKey, httpUrl: endpoint } = server;
const settings = {
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId, secretAccessKey },
};
const sns = new SNS(settings);
const sqs = new SQS(settings);

/** A topic with so many subscriptions, each for another tenant; the first one's queue is there. */
async function topicWith(subscriptions: number): Promise<string> {
  const { TopicArn = "" } = await sns.createTopic({ Name: `with-${subscriptions}` });
  const queueArn = (index: number) =>
    TopicArn.replace(":sns:", ":sqs:").replace("with", `queue-${index}-of`);
  const open = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn(0),
  };
  await sqs.createQueue({
    QueueName: queueArn(0).split(":").at(-1),
    Attributes: { Policy: JSON.stringify({ Version: "2012-10-17", Statement: open }) },
  });
  for (let from = 0; from < subscriptions; from += subscribesAtOnce) {
    const count = Math.min(subscribesAtOnce, subscriptions - from);
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        sns.subscribe({
          TopicArn,
          Protocol: "sqs",
          Endpoint: queueArn(from + index),
          Attributes: { FilterPolicy: JSON.stringify({ tenant: [`tenant-${from + index}`] }) },
        }),
      ),
    );
  }
  return TopicArn;
}

/** Milliseconds of one publication, one after the other. */
async function millisecondsOf(TopicArn: string): Promise<number> {
  const MessageAttributes = { tenant: { DataType: "String", StringValue: "tenant-0" } };
  const start = performance.now();
  for (let index = 0; index < publicationsPerRound; index += 1) {
    await sns.publish({ TopicArn, Message: "for one of them", MessageAttributes });
  }
  return (performance.now() - start) / publicationsPerRound;
}

try {
  const [withFew, withMany] = [await topicWith(few), await topicWith(many)];
  const best = { few: Number.POSITIVE_INFINITY, many: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round += 1) {
    best.few = Math.min(best.few, await millisecondsOf(withFew));
    best.many = Math.min(best.many, await millisecondsOf(withMany));
  }
  const factor = best.many / best.few;
  console.log(`1 of ${few}: ${best.few.toFixed(2)} ms; 1 of ${many}: ${best.many.toFixed(2)} ms`);
  console.log(`factor ${factor.toFixed(2)} (goal: at most ${factorMax})`);
  process.exitCode = factor <= factorMax ? 0 : 1;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
