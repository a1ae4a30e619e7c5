// Goal: errors have AWS's form on each protocol, whichever of its names a refusal carries. Method:
// golden answers, and the SDK's clients, which must make the right exception class of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refusal } from "../../src/kernel/errors.ts";
import type { Protocol } from "../../src/wire/service.ts";
import { loadWireServices } from "../../src/wire/service.ts";
import { sdkPeer } from "./support/sdk.ts";

const services = loadWireServices();

function answer(service: string, protocol: Protocol, refusal: Refusal) {
  const reply = services.get(service)?.encodeError(protocol, refusal, "r-1");
  assert(reply);
  assert.equal(reply.headers["x-amzn-RequestId"], "r-1");
  return { ...reply, body: String(reply.body) };
}

describe("errors of SQS", () => {
  const missing = new Refusal("QueueDoesNotExist", "The specified queue does not exist.");

  it("JSON carries the code of the query protocol in a header", () => {
    const reply = answer("sqs", "json", missing);
    assert.equal(reply.status, 400);
    assert.equal(reply.headers["content-type"], "application/x-amz-json-1.0");
    const header = reply.headers["x-amzn-query-error"];
    assert.equal(header, "AWS.SimpleQueueService.NonExistentQueue;Sender");
    assert.equal(
      reply.body,
      '{"__type":"com.amazonaws.sqs#QueueDoesNotExist",' +
        '"message":"The specified queue does not exist."}',
    );
  });

  it("the query protocol has a text of its own for a missing queue", () => {
    const reply = answer("sqs", "query", missing);
    assert.equal(reply.status, 400);
    assert.equal(reply.headers["content-type"], "text/xml");
    assert.equal(
      reply.body,
      '<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error>' +
        "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>" +
        "<Message>The specified queue does not exist for this wsdl version.</Message><Detail/>" +
        "</Error><RequestId>r-1</RequestId></ErrorResponse>",
    );
  });

  const cases: readonly (readonly [string, string, string, number])[] = [
    ["KmsAccessDenied", "KmsAccessDenied", "KMS.AccessDeniedException;Sender", 400],
    ["KMS.AccessDeniedException", "KmsAccessDenied", "KMS.AccessDeniedException;Sender", 400],
    ["KmsOptInRequired", "KmsOptInRequired", "KMS.OptInRequired;Sender", 403],
    ["QueueNameExists", "QueueNameExists", "QueueAlreadyExists;Sender", 400],
    ["ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid;Sender", 404],
    ["OverLimit", "OverLimit", "OverLimit;Sender", 403],
    ["InvalidAttributeName", "InvalidAttributeName", "InvalidAttributeName;Sender", 400],
    [
      "InvalidParameterValue",
      "InvalidParameterValueException",
      "InvalidParameterValue;Sender",
      400,
    ],
    ["MissingParameter", "MissingRequiredParameterException", "MissingParameter;Sender", 400],
    ["MalformedInput", "SerializationException", "MalformedInput;Sender", 400],
    ["InternalFailure", "InternalFailure", "InternalFailure;Receiver", 500],
  ];
  for (const [code, shape, header, status] of cases) {
    it(`${code} in JSON`, () => {
      const reply = answer("sqs", "json", new Refusal(code, "text"));
      assert.equal(JSON.parse(reply.body).__type, `com.amazonaws.sqs#${shape}`);
      assert.equal(reply.headers["x-amzn-query-error"], header);
      assert.equal(reply.status, status);
    });
  }

  it("a refusal's own status wins", () => {
    const denied = new Refusal("AccessDenied", "no", { status: 403 });
    assert.equal(answer("sqs", "json", denied).status, 403);
    assert.equal(answer("sqs", "json", new Refusal("AccessDenied", "no")).status, 400);
  });

  it("a GET without Action is 404 with a bare element", () => {
    const none = new Refusal("UnknownOperationException", "", { status: 404 });
    assert.equal(answer("sqs", "query", none).body, "<UnknownOperationException/>\n");
  });
});

describe("errors of the query services", () => {
  it("SNS: shape names and codes give the same answer, with text escaped", () => {
    const golden =
      '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>' +
      "<Type>Sender</Type><Code>KMSAccessDenied</Code><Message>a &lt;b&gt; &amp; \ufffd</Message>" +
      "</Error><RequestId>r-1</RequestId></ErrorResponse>";
    for (const code of ["KMSAccessDeniedException", "KMSAccessDenied"]) {
      assert.equal(answer("sns", "query", new Refusal(code, "a <b> & \u0000")).body, golden);
    }
  });

  const cases: readonly (readonly [string, string, string, number])[] = [
    ["sns", "NotFoundException", "NotFound", 404],
    ["sns", "NotFound", "NotFound", 404],
    ["sns", "AuthorizationErrorException", "AuthorizationError", 403],
    ["sns", "InvalidParameterValueException", "ParameterValueInvalid", 400],
    ["sns", "ValidationException", "ValidationError", 400],
    ["sns", "KMSOptInRequired", "KMSOptInRequired", 403],
    ["sns", "ThrottledException", "Throttled", 429],
    ["iam", "NoSuchEntity", "NoSuchEntity", 404],
    ["iam", "NoSuchEntityException", "NoSuchEntity", 404],
    ["iam", "EntityAlreadyExists", "EntityAlreadyExists", 409],
    ["iam", "ValidationError", "ValidationError", 400],
    ["iam", "SignatureDoesNotMatch", "SignatureDoesNotMatch", 403],
    ["iam", "InvalidClientTokenId", "InvalidClientTokenId", 403],
    ["sts", "ExpiredToken", "ExpiredToken", 403],
    ["sts", "ExpiredTokenException", "ExpiredTokenException", 400],
    ["sts", "AccessDenied", "AccessDenied", 403],
    ["sts", "SomethingNew", "SomethingNew", 400],
  ];
  for (const [service, given, code, status] of cases) {
    it(`${service}: ${given} is ${code}, ${status}`, () => {
      const reply = answer(service, "query", new Refusal(given, "text"));
      assert.equal(/<Code>(.*)<\/Code>/.exec(reply.body)?.[1], code);
      assert.equal(reply.status, status);
    });
  }

  it("a fault of the server has Type Receiver", () => {
    assert.match(
      answer("iam", "query", new Refusal("ServiceFailure", "x")).body,
      /<Type>Receiver</,
    );
    assert.match(answer("iam", "query", new Refusal("NoSuchEntity", "x")).body, /<Type>Sender</);
  });
});

describe("errors of KMS and CloudTrail", () => {
  it("KMS: no namespace, 400 for every client error, no message where there is none", () => {
    const missing = answer("kms", "json", new Refusal("NotFoundException", "Alias x"));
    assert.equal(missing.status, 400);
    assert.equal(missing.headers["content-type"], "application/x-amz-json-1.1");
    assert.equal(missing.body, '{"__type":"NotFoundException","message":"Alias x"}');
    assert.equal(missing.headers["x-amzn-query-error"], undefined);
    const silent = answer("kms", "json", new Refusal("InvalidCiphertextException", ""));
    assert.equal(silent.body, '{"__type":"InvalidCiphertextException"}');
  });

  it("KMS: front-end codes of the query protocol get their JSON names", () => {
    const denied = answer("kms", "json", new Refusal("AccessDenied", "no"));
    assert.equal(JSON.parse(denied.body).__type, "AccessDeniedException");
    assert.equal(denied.status, 400);
    assert.equal(answer("kms", "json", new Refusal("KMSInternalException", "x")).status, 500);
  });

  it("CloudTrail: 400, and the text in the member of its model", () => {
    const reply = answer("cloudtrail", "json", new Refusal("TrailNotFoundException", "no trail"));
    assert.equal(reply.status, 400);
    assert.equal(reply.body, '{"__type":"TrailNotFoundException","Message":"no trail"}');
  });
});

describe("errors as the SDK reads them", () => {
  const cases: readonly (readonly [string, Protocol, string, string, string, string])[] = [
    ["sns", "query", "GetTopicAttributes", "NotFound", "NotFoundException", "NotFound"],
    ["iam", "query", "GetUser", "NoSuchEntity", "NoSuchEntityException", "NoSuchEntity"],
    ["kms", "json", "DescribeKey", "NotFoundException", "NotFoundException", ""],
    ["cloudtrail", "json", "GetTrail", "TrailNotFoundException", "TrailNotFoundException", ""],
    [
      "sqs",
      "json",
      "PurgeQueue",
      "QueueDoesNotExist",
      "QueueDoesNotExist",
      "AWS.SimpleQueueService.NonExistentQueue",
    ],
  ];
  for (const [service, protocol, operation, code, exception, queryCode] of cases) {
    it(`${service}: ${code} becomes ${exception}`, async () => {
      const peer = sdkPeer(service, protocol);
      const refused = new Refusal(code, "the text");
      const sent = peer.exchange(operation, { QueueUrl: "http://localhost/1/q" }, () =>
        answer(service, protocol, refused),
      );
      await assert.rejects(sent, (error: Error & { Code?: string; $metadata?: object }) => {
        assert.equal(error.name, exception);
        assert.equal(error.message, "the text");
        assert.deepEqual(error.$metadata, { ...error.$metadata, requestId: "r-1" });
        if (queryCode !== "") assert.equal(error.Code, queryCode);
        return true;
      });
      peer.close();
    });
  }
});
