// Goal: each request is given to the right service, operation and protocol. Method: the forms that
// clients, links and old tools send, and the refusals for what names no operation.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadWireServices, serviceOfUnsigned } from "../../src/wire/service.ts";
import { codeAndText, refusalOf } from "./support/refused.ts";
import { formRequest, jsonRequest } from "./support/requests.ts";

const services = loadWireServices();

function wire(name: string) {
  return services.get(name) ?? assert.fail(`no service ${name}`);
}

describe("the operation of a request", () => {
  const targets: readonly (readonly [string, string, string])[] = [
    ["sqs", "AmazonSQS.SendMessage", "SendMessage"],
    ["kms", "TrentService.Encrypt", "Encrypt"],
    [
      "cloudtrail",
      "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
      "LookupEvents",
    ],
    ["cloudtrail", "CloudTrail_20131101.LookupEvents", "LookupEvents"],
  ];
  for (const [service, target, operation] of targets) {
    it(target, () => {
      const identified = wire(service).identify(jsonRequest(target, {}));
      assert.deepEqual(identified, { operation, protocol: "json" });
    });
  }

  it("a target of another service, an unknown one, none, or a GET is refused", () => {
    const kms = wire("kms");
    for (const target of ["AmazonSQS.Encrypt", "TrentService.Nonsense", "Encrypt", "", "."]) {
      const refusal = refusalOf(() => kms.identify(jsonRequest(target, {})));
      assert.equal(refusal.code, "UnknownOperationException");
    }
    const got = { ...jsonRequest("TrentService.Encrypt", {}), method: "GET" };
    assert.equal(refusalOf(() => kms.identify(got)).code, "UnknownOperationException");
    const inherited = jsonRequest("TrentService.constructor", {});
    assert.equal(refusalOf(() => kms.identify(inherited)).code, "UnknownOperationException");
  });

  it("SQS tells its protocols apart, also in broken requests", () => {
    const sqs = wire("sqs");
    assert.equal(sqs.protocolOf(jsonRequest("AmazonSQS.Nonsense", "{")), "json");
    assert.equal(sqs.protocolOf(formRequest("%")), "query");
    const headers = new Map([["content-type", "application/x-amz-json-1.0"]]);
    assert.equal(sqs.protocolOf(formRequest("", { headers })), "json");
  });

  it("Action and Version", () => {
    const sns = wire("sns");
    const publish = formRequest("Action=Publish&Version=2010-03-31");
    assert.deepEqual(sns.identify(publish), { operation: "Publish", protocol: "query" });
    // Links in mails carry no version.
    const link = formRequest("", { method: "GET", query: "Action=ConfirmSubscription&Token=t" });
    assert.equal(sns.identify(link).operation, "ConfirmSubscription");
    assert.deepEqual(
      codeAndText(() => sns.identify(formRequest("Action=Nonsense&Version=2010-03-31"))),
      ["InvalidAction", "Could not find operation Nonsense for version 2010-03-31"],
    );
    assert.deepEqual(
      codeAndText(() => sns.identify(formRequest("Action=Publish&Version=2011-01-01"))),
      ["InvalidAction", "Could not find operation Publish for version 2011-01-01"],
    );
  });

  it("no Action: 404 for a GET, 400 for a POST", () => {
    const got = refusalOf(() => wire("sqs").identify(formRequest("", { method: "GET" })));
    assert.deepEqual([got.code, got.status], ["UnknownOperationException", 404]);
    const posted = refusalOf(() => wire("sqs").identify(formRequest("a=b")));
    assert.equal(posted.code, "MissingAction");
  });
});

describe("the service of an unsigned request", () => {
  it("by target, version, action or queue path", () => {
    const get = (query: string, path = "/") => formRequest("", { method: "GET", path, query });
    assert.equal(serviceOfUnsigned(jsonRequest("AmazonSQS.SendMessage", {})), "sqs");
    assert.equal(serviceOfUnsigned(jsonRequest("TrentService.Encrypt", {})), "kms");
    assert.equal(serviceOfUnsigned(jsonRequest("Nonsense.Encrypt", {})), undefined);
    for (const [version, name] of [
      ["2012-11-05", "sqs"],
      ["2010-03-31", "sns"],
      ["2010-05-08", "iam"],
      ["2011-06-15", "sts"],
    ]) {
      assert.equal(serviceOfUnsigned(formRequest(`Action=X&Version=${version}`)), name);
    }
    assert.equal(serviceOfUnsigned(get("Action=Unsubscribe&SubscriptionArn=a")), "sns");
    assert.equal(serviceOfUnsigned(get("", "/123456789012/orders")), "sqs");
  });

  it("nothing for what two services have, or for broken bytes", () => {
    assert.equal(serviceOfUnsigned(formRequest("Action=AddPermission")), undefined);
    assert.equal(serviceOfUnsigned(formRequest("Action=%zz")), undefined);
    assert.equal(serviceOfUnsigned(formRequest("")), undefined);
    assert.equal(serviceOfUnsigned(formRequest("", { path: "/_sealpost/health" })), undefined);
  });
});

describe("answers", () => {
  it("operations without output: nothing from KMS, {} from SQS, no result element in XML", () => {
    assert.equal(wire("kms").encode("EnableKey", "json", {}, "r").body, "");
    assert.equal(wire("sqs").encode("PurgeQueue", "json", {}, "r").body, "{}");
    assert.equal(
      wire("sns").encode("DeleteTopic", "query", {}, "r").body,
      '<DeleteTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">' +
        "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DeleteTopicResponse>",
    );
  });

  it("lists: SQS leaves empty ones out, SNS does not", () => {
    assert.equal(wire("sqs").encode("ReceiveMessage", "json", { Messages: [] }, "r").body, "{}");
    const batch = { Successful: [{ Id: "1", MessageId: "m" }], Failed: [] };
    assert.equal(
      wire("sqs").encode("SendMessageBatch", "json", batch, "r").body,
      '{"Successful":[{"Id":"1","MessageId":"m"}]}',
    );
    const answer = String(wire("sns").encode("PublishBatch", "query", batch, "r").body);
    assert.match(answer, /<Successful><member><Id>1<\/Id>.*<\/Successful><Failed\/>/);
  });

  it("times: seconds in JSON, ISO 8601 in XML; members that no model has stay inside", () => {
    const metadata = { KeyId: "k", CreationDate: 1_500, Secret: "s" };
    assert.equal(
      wire("kms").encode("DescribeKey", "json", { KeyMetadata: metadata }, "r").body,
      '{"KeyMetadata":{"KeyId":"k","CreationDate":1.5}}',
    );
    const user = { Path: "/", UserName: "u", CreateDate: Date.UTC(2026, 0, 2, 3, 4, 5) };
    const answer = String(wire("iam").encode("GetUser", "query", { User: user }, "r").body);
    assert.match(answer, /<CreateDate>2026-01-02T03:04:05Z<\/CreateDate>/);
  });
});
