// NODE_OPTIONS=--experimental-vm-modules npx jest   (Jest needs the flag for ES modules)
import { Agent } from "node:https";
import { SQS } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSealpost } from "sealpost/testing";

let server;
let sqs;

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
  expect(Messages[0].Body).toBe("two coffees");
});
