// npx sealpost run -- node publish.mjs
// Everything that is special to Sealpost is in the environment; with AWS's it works as well.
import { KMS } from "@aws-sdk/client-kms";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";

const [kms, sns, sqs, sts] = [new KMS({}), new SNS({}), new SQS({}), new STS({})];

const { Account } = await sts.getCallerIdentity({});
const { KeyMetadata } = await kms.createKey({
  Policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${Account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
        Resource: "*",
      },
    ],
  }),
});
const encryption = { KmsMasterKeyId: KeyMetadata.Arn };

const { TopicArn } = await sns.createTopic({ Name: "orders", Attributes: encryption });
const { QueueUrl } = await sqs.createQueue({ QueueName: "billing", Attributes: encryption });
const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["QueueArn"] });
await sqs.setQueueAttributes({
  QueueUrl,
  Attributes: {
    Policy: JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: Attributes.QueueArn,
        Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
      },
    }),
  },
});
await sns.subscribe({
  TopicArn,
  Protocol: "sqs",
  Endpoint: Attributes.QueueArn,
  Attributes: { RawMessageDelivery: "true" },
});

await sns.publish({ TopicArn, Message: "two coffees" });
const { Messages } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 });
console.log(Messages[0].Body);
