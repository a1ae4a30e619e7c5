// Goal: a client of the query protocol that accepts JSON gets what AWS gives it: the form that the
// answers of SQS and STS were recorded in. Method: golden answers.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refusal } from "../../src/kernel/errors.ts";
import { loadWireServices } from "../../src/wire/service.ts";
import { formRequest } from "./support/requests.ts";

const services = loadWireServices(["sqs", "sts", "sns"]);

function wireOf(name: string) {
  const service = services.get(name);
  assert(service);
  return service;
}

function answered(service: string, operation: string, output: object): unknown {
  const reply = wireOf(service).encode(operation, "query-json", output, "r-1");
  assert.equal(reply.headers["content-type"], "application/json");
  return JSON.parse(String(reply.body));
}

function protocolFor(accept: string, service = "sqs"): string {
  const request = formRequest("Action=ListQueues");
  const headers = new Map([...request.headers, ...(accept ? [["accept", accept] as const] : [])]);
  return wireOf(service).protocolOf({ ...request, headers });
}

const ResponseMetadata = { RequestId: "r-1" };

describe("JSON answers of the query protocol", () => {
  it("are given to who accepts them before XML", () => {
    assert.equal(protocolFor("application/json"), "query-json");
    assert.equal(protocolFor("text/plain, application/json;q=0.9, */*", "sts"), "query-json");
    for (const other of ["", "*/*", "text/xml,application/json", "application/jsonx"]) {
      assert.equal(protocolFor(other), "query", other);
    }
  });

  it("name what is absent as null, and the lists of SQS as it does", () => {
    assert.deepEqual(answered("sqs", "ReceiveMessage", { Messages: [] }), {
      ReceiveMessageResponse: { ReceiveMessageResult: { messages: null }, ResponseMetadata },
    });
    const Messages = [{ MessageId: "m", ReceiptHandle: "h", MD5OfBody: "5", Body: "b" }];
    assert.deepEqual(answered("sqs", "ReceiveMessage", { Messages }), {
      ReceiveMessageResponse: {
        ReceiveMessageResult: {
          messages: [
            {
              ...Messages[0],
              Attributes: null,
              MD5OfMessageAttributes: null,
              MessageAttributes: null,
            },
          ],
        },
        ResponseMetadata,
      },
    });
    assert.deepEqual(answered("sqs", "ListQueues", { QueueUrls: ["u"] }), {
      ListQueuesResponse: {
        ListQueuesResult: { queueUrls: ["u"], NextToken: null },
        ResponseMetadata,
      },
    });
  });

  it("hold attributes as a list, blobs in base64, and no result where there is none", () => {
    assert.deepEqual(answered("sqs", "GetQueueAttributes", { Attributes: { QueueArn: "a" } }), {
      GetQueueAttributesResponse: {
        GetQueueAttributesResult: { Attributes: [{ Name: "QueueArn", Value: "a" }] },
        ResponseMetadata,
      },
    });
    const attribute = { DataType: "Binary", BinaryValue: Buffer.from([255]) };
    const Messages = [{ MessageAttributes: { a: attribute } }];
    assert.match(
      JSON.stringify(answered("sqs", "ReceiveMessage", { Messages })),
      /"MessageAttributes":\[\{"Name":"a","Value":\{[^}]*"BinaryValue":"\/w=="/,
    );
    assert.deepEqual(answered("sqs", "DeleteQueue", {}), {
      DeleteQueueResponse: { ResponseMetadata },
    });
  });

  it("tell times as epoch seconds", () => {
    const Credentials = { AccessKeyId: "A", Expiration: 1_514_869_445_500 };
    assert.match(
      JSON.stringify(answered("sts", "AssumeRoleWithWebIdentity", { Credentials })),
      /"Expiration":1514869445\.5/,
    );
  });

  it("refuse in JSON, with the text of the query protocol", () => {
    const missing = new Refusal("QueueDoesNotExist", "The specified queue does not exist.");
    const reply = wireOf("sqs").encodeError("query-json", missing, "r-1");
    assert.equal(reply.status, 400);
    assert.equal(reply.headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(String(reply.body)), {
      Error: {
        Code: "AWS.SimpleQueueService.NonExistentQueue",
        Message: "The specified queue does not exist for this wsdl version.",
        Type: "Sender",
      },
      RequestId: "r-1",
    });
  });

  it("a GET without an action is answered in XML all the same", () => {
    const nothing = new Refusal("UnknownOperationException", "", { status: 404 });
    const reply = wireOf("sqs").encodeError("query-json", nothing, "r-1");
    assert.equal(reply.body, "<UnknownOperationException/>\n");
  });
});
