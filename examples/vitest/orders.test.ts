// npx vitest run
import { Agent } from "node:https";
import { SQS } from "@aws-sdk/client-sqs";
import { type Sealpost, startSealpost } from "sealpost/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

let server: Sealpost;
let sqs: SQS;

beforeAll(async () => {
  server = await startSealpost();
  const { endpoint, region, credentials, ca } = server;
  const requestHandler = { httpsAgent: new Agent({ ca }) };
  sqs = new SQS({ endpoint, region, credentials, requestHandler });
});

afterAll(() => server.stop());

test("a message comes back after its visibility timeout", async () => {
  const { QueueUrl } = await sqs.createQueue({ QueueName: "orders" });
  await sqs.sendMessage({ QueueUrl, MessageBody: "two coffees" });
  await sqs.receiveMessage({ QueueUrl });
  expect((await sqs.receiveMessage({ QueueUrl })).Messages).toBeUndefined();

  await server.clock.advance("30s");

  const { Messages } = await sqs.receiveMessage({ QueueUrl });
  expect(Messages?.[0]?.Body).toBe("two coffees");
});
