import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { awsError, createQueue, type SqsScene, sqsScene, userOf } from "./sqs-scene.ts";

// Goal: who may do what with a queue is decided by identity and queue policies, and said as on AWS.
// Method: users of one account with narrow policies, queue policies that open and close.

let scene: SqsScene;
before(async () => {
  scene = await sqsScene();
});
after(() => scene.stop());

const arnOf = (name: string) => `arn:aws:sqs:${scene.region}:${scene.accountId}:${name}`;
const denied = (user: string, action: string, arn: string) =>
  awsError(
    "AccessDenied",
    `User: arn:aws:iam::${scene.accountId}:user/${user} is not authorized to perform: ` +
      `${action} on resource: ${arn} because no identity-based policy allows the ${action} action`,
    { status: 403, query: "AccessDenied" },
  );

test("a denial names user, action in lower case, and queue; batches name the single action", async () => {
  const QueueUrl = await createQueue(scene.sqs, "guarded");
  const { sqs } = await userOf(scene, "reader", [
    { Action: "sqs:ReceiveMessage", Resource: arnOf("guarded") },
  ]);
  await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  await assert.rejects(
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" })),
    denied("reader", "sqs:sendmessage", arnOf("guarded")),
  );
  await assert.rejects(
    sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a", MessageBody: "x" }] })),
    denied("reader", "sqs:sendmessage", arnOf("guarded")),
  );
  await assert.rejects(
    sqs.send(
      new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a", ReceiptHandle: "x" }] }),
    ),
    denied("reader", "sqs:deletemessage", arnOf("guarded")),
  );
  await assert.rejects(sqs.send(new ListQueuesCommand({})), awsError("AccessDenied"));
});

test("a queue policy lets a user in, and a Deny in it holds for the owner's users", async () => {
  const QueueUrl = await createQueue(scene.sqs, "shared");
  const user = await userOf(scene, "guest", []);
  const policy = (Effect: string, Action: string) => ({
    QueueUrl,
    Attributes: {
      Policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect, Action, Principal: { AWS: user.arn }, Resource: arnOf("shared") }],
      }),
    },
  });
  const send = () => user.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
  await assert.rejects(send(), awsError("AccessDenied"));
  await scene.sqs.send(new SetQueueAttributesCommand(policy("Allow", "sqs:SendMessage")));
  await send();
  await assert.rejects(
    user.sqs.send(new DeleteQueueCommand({ QueueUrl })),
    awsError("AccessDenied"),
  );
  const strong = await userOf(scene, "strong", [{ Action: "sqs:*", Resource: "*" }]);
  const deny = policy("Deny", "sqs:SendMessage").Attributes.Policy.replace(user.arn, strong.arn);
  const Attributes = { Policy: deny };
  await scene.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
  await assert.rejects(
    strong.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" })),
    awsError("AccessDenied", /with an explicit deny in a resource-based policy/),
  );
});

test("a policy that names nobody who exists is refused", async () => {
  const QueueUrl = await createQueue(scene.sqs, "strangers");
  const Principal = { AWS: `arn:aws:iam::${scene.accountId}:user/nobody` };
  const Statement = [{ Effect: "Allow", Action: "sqs:*", Principal, Resource: "*" }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await assert.rejects(
    scene.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } })),
    awsError("InvalidAttributeValue", /There is no principal/),
  );
});
