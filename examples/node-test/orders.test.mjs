// node --test orders.test.mjs
import assert from "node:assert/strict";
import { Agent } from "node:https";
import { after, before, test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { SQS } from "@aws-sdk/client-sqs";
import { startSealpost } from "sealpost/testing";

let server;
let sqs;
let kms;

before(async () => {
  server = await startSealpost();
  const { endpoint, region, credentials, ca } = server;
  const settings = {
    endpoint,
    region,
    credentials,
    requestHandler: { httpsAgent: new Agent({ ca }) },
  };
  sqs = new SQS(settings);
  kms = new KMS(settings);
});

after(() => server.stop());

test("an order waits in an encrypted queue until it is due", async () => {
  const { KeyMetadata } = await kms.createKey({});
  const { QueueUrl } = await sqs.createQueue({
    QueueName: "orders",
    Attributes: { KmsMasterKeyId: KeyMetadata.Arn },
  });
  await sqs.sendMessage({ QueueUrl, MessageBody: "two coffees", DelaySeconds: 900 });
  assert.equal((await sqs.receiveMessage({ QueueUrl })).Messages, undefined);

  await server.clock.advance("15m");

  const { Messages } = await sqs.receiveMessage({ QueueUrl });
  assert.equal(Messages[0].Body, "two coffees");
});
