// Goal: clients of SQS's old query protocol are understood. Method: request strings written by hand
// from the documented names, with the input they must give and the XML of the answer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WireRequest } from "../../src/wire/service.ts";
import { loadWireServices } from "../../src/wire/service.ts";
import { codeAndText } from "./support/refused.ts";
import { formRequest } from "./support/requests.ts";

const sqs = loadWireServices(["sqs"]).get("sqs");
assert(sqs);
const queueUrl = "http://localhost:4566/123456789012/orders";
const url = `QueueUrl=${encodeURIComponent(queueUrl)}`;

function decoded(request: WireRequest | string): object {
  const sent = typeof request === "string" ? formRequest(request) : request;
  const { operation, protocol } = sqs?.identify(sent) ?? assert.fail();
  assert.equal(protocol, "query");
  // Maps have no prototype; comparison is by content.
  return JSON.parse(JSON.stringify(sqs?.decode(operation, protocol, sent)));
}

function encoded(operation: string, output: object): string {
  return String(sqs?.encode(operation, "query", output, "r-1").body);
}

describe("SQS query requests", () => {
  const cases: readonly (readonly [string, string, object])[] = [
    [
      "attributes and tags of a new queue",
      "Action=CreateQueue&Version=2012-11-05&QueueName=orders&Attribute.1.Name=DelaySeconds" +
        "&Attribute.1.Value=5&Attribute.2.Name=KmsMasterKeyId&Attribute.2.Value=alias%2Fa" +
        "&Tag.1.Key=team&Tag.1.Value=a+b",
      {
        QueueName: "orders",
        Attributes: { DelaySeconds: "5", KmsMasterKeyId: "alias/a" },
        tags: { team: "a b" },
      },
    ],
    [
      "an attribute without a number",
      `Action=SetQueueAttributes&${url}&Attribute.Name=Policy&Attribute.Value=`,
      { QueueUrl: queueUrl, Attributes: { Policy: "" } },
    ],
    [
      "attribute names",
      `Action=GetQueueAttributes&${url}&AttributeName.1=All&AttributeName.2=QueueArn`,
      { QueueUrl: queueUrl, AttributeNames: ["All", "QueueArn"] },
    ],
    [
      "an attribute name without a number",
      `Action=ReceiveMessage&${url}&AttributeName=All&MaxNumberOfMessages=10`,
      { QueueUrl: queueUrl, AttributeNames: ["All"], MaxNumberOfMessages: 10 },
    ],
    [
      "of two synonyms AttributeName wins",
      `Action=ReceiveMessage&${url}&MessageSystemAttributeName.1=SenderId&AttributeName.1=All`,
      { QueueUrl: queueUrl, AttributeNames: ["All"] },
    ],
    [
      "the newer synonym alone",
      `Action=ReceiveMessage&${url}&MessageSystemAttributeName.1=SenderId` +
        "&MessageAttributeName.1=a.*",
      {
        QueueUrl: queueUrl,
        MessageSystemAttributeNames: ["SenderId"],
        MessageAttributeNames: ["a.*"],
      },
    ],
    [
      "message attributes",
      `Action=SendMessage&${url}&MessageBody=%C3%A9&DelaySeconds=0&MessageAttribute.1.Name=n` +
        "&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v" +
        "&MessageSystemAttribute.1.Name=AWSTraceHeader" +
        "&MessageSystemAttribute.1.Value.DataType=String" +
        "&MessageSystemAttribute.1.Value.StringValue=t",
      {
        QueueUrl: queueUrl,
        MessageBody: "é",
        DelaySeconds: 0,
        MessageAttributes: { n: { DataType: "String", StringValue: "v" } },
        MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: "t" } },
      },
    ],
    [
      "entries of a batch by number, not by place",
      `Action=SendMessageBatch&${url}&SendMessageBatchRequestEntry.2.Id=b` +
        "&SendMessageBatchRequestEntry.2.MessageBody=2&SendMessageBatchRequestEntry.1.Id=a" +
        "&SendMessageBatchRequestEntry.1.MessageBody=1",
      {
        QueueUrl: queueUrl,
        Entries: [
          { Id: "a", MessageBody: "1" },
          { Id: "b", MessageBody: "2" },
        ],
      },
    ],
    [
      "a batch without entries is an empty batch",
      `Action=DeleteMessageBatch&${url}`,
      { QueueUrl: queueUrl, Entries: [] },
    ],
    [
      "entries that change visibility",
      `Action=ChangeMessageVisibilityBatch&${url}&ChangeMessageVisibilityBatchRequestEntry.1.Id=a` +
        "&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=h" +
        "&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=9",
      { QueueUrl: queueUrl, Entries: [{ Id: "a", ReceiptHandle: "h", VisibilityTimeout: 9 }] },
    ],
    [
      "accounts and actions of a permission",
      `Action=AddPermission&${url}&Label=l&AWSAccountId.1=123456789012&ActionName.1=SendMessage`,
      {
        QueueUrl: queueUrl,
        Label: "l",
        AWSAccountIds: ["123456789012"],
        Actions: ["SendMessage"],
      },
    ],
    [
      "tag keys",
      `Action=UntagQueue&${url}&TagKey.1=a&TagKey.2=b`,
      { QueueUrl: queueUrl, TagKeys: ["a", "b"] },
    ],
  ];
  for (const [title, body, input] of cases) {
    it(title, () => assert.deepEqual(decoded(body), input));
  }
});

describe("SQS query requests on a queue's path", () => {
  const path = "/123456789012/orders";

  it("the path names the queue, also for a GET", () => {
    const request = formRequest("", { method: "GET", path, query: "Action=PurgeQueue" });
    assert.deepEqual(decoded(request), { QueueUrl: "https://localhost:4566/123456789012/orders" });
  });

  it("a QueueUrl parameter wins over the path", () => {
    const request = formRequest(`Action=PurgeQueue&${url}2`, { path });
    assert.deepEqual(decoded(request), { QueueUrl: `${queueUrl}2` });
  });

  it("parameters of the URL work with an empty body", () => {
    const query = `Action=SendMessage&MessageBody=a%20b&${url}`;
    assert.deepEqual(decoded(formRequest("", { query })), {
      QueueUrl: queueUrl,
      MessageBody: "a b",
    });
  });

  it("GetQueueUrl is valid there, ListQueues and unknown actions are not", () => {
    const named = formRequest("Action=GetQueueUrl&QueueName=b", { path });
    assert.deepEqual(decoded(named), { QueueName: "b" });
    for (const action of ["ListQueues", "CreateQueue", "Nonsense"]) {
      const request = formRequest(`Action=${action}&QueueName=b`, { path });
      assert.deepEqual(
        codeAndText(() => sqs.identify(request)),
        ["InvalidAction", `The action ${action} is not valid for this endpoint.`],
      );
    }
    // The twin: at the root the same action is fine.
    assert.equal(sqs.identify(formRequest("Action=ListQueues")).operation, "ListQueues");
  });
});

describe("SQS query answers", () => {
  const start = (name: string) =>
    `<${name}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`;
  const metadata = "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>";

  it("an empty receive", () => {
    assert.equal(
      encoded("ReceiveMessage", { Messages: [] }),
      `${start("ReceiveMessage")}<ReceiveMessageResult/>${metadata}</ReceiveMessageResponse>`,
    );
  });

  it("messages with attributes", () => {
    const message = {
      MessageId: "m",
      Body: "<a>&\r\n",
      Attributes: { SenderId: "AIDA" },
      MessageAttributes: {
        s: { DataType: "String", StringValue: "v" },
        b: { DataType: "Binary", BinaryValue: Buffer.from([0, 255]) },
      },
    };
    assert.equal(
      encoded("ReceiveMessage", { Messages: [message, { MessageId: "n" }] }),
      `${start("ReceiveMessage")}<ReceiveMessageResult><Message><MessageId>m</MessageId>` +
        "<Body>&lt;a&gt;&amp;&#xD;\n</Body><Attribute><Name>SenderId</Name><Value>AIDA</Value>" +
        "</Attribute><MessageAttribute><Name>s</Name><Value><DataType>String</DataType>" +
        "<StringValue>v</StringValue></Value></MessageAttribute><MessageAttribute><Name>b</Name>" +
        "<Value><DataType>Binary</DataType><BinaryValue>AP8=</BinaryValue></Value>" +
        "</MessageAttribute></Message><Message><MessageId>n</MessageId></Message>" +
        `</ReceiveMessageResult>${metadata}</ReceiveMessageResponse>`,
    );
  });

  it("results of a batch, and an operation without a result", () => {
    const failed = { Id: "b", SenderFault: true, Code: "InvalidParameterValue", Message: "no" };
    assert.equal(
      encoded("DeleteMessageBatch", { Successful: [{ Id: "a" }], Failed: [failed] }),
      `${start("DeleteMessageBatch")}<DeleteMessageBatchResult><DeleteMessageBatchResultEntry>` +
        "<Id>a</Id></DeleteMessageBatchResultEntry><BatchResultErrorEntry><Id>b</Id>" +
        "<SenderFault>true</SenderFault><Code>InvalidParameterValue</Code><Message>no</Message>" +
        `</BatchResultErrorEntry></DeleteMessageBatchResult>${metadata}</DeleteMessageBatchResponse>`,
    );
    assert.equal(
      encoded("PurgeQueue", {}),
      `${start("PurgeQueue")}${metadata}</PurgeQueueResponse>`,
    );
  });
});
