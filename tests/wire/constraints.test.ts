// Goal: a request that breaks a constraint is refused with AWS's text. Method: recorded texts of
// the fact sheets, each next to a twin that keeps the constraint and is let through.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compilePattern } from "../../src/wire/constraint.ts";
import { loadModel, serviceNames } from "../../src/wire/models.ts";
import { loadWireServices } from "../../src/wire/service.ts";
import { codeAndText, refusalOf } from "./support/refused.ts";
import { formRequest, jsonRequest } from "./support/requests.ts";

const services = loadWireServices();

function decodeJson(service: string, operation: string, input: unknown): unknown {
  return services.get(service)?.decode(operation, "json", jsonRequest("", input));
}

function decodeForm(service: string, operation: string, body: string): unknown {
  return services.get(service)?.decode(operation, "query", formRequest(body));
}

const one = "1 validation error detected: ";
const failed = "failed to satisfy constraint: Member must";

describe("constraints of KMS", () => {
  const cases: readonly (readonly [string, object, object, string])[] = [
    [
      "GenerateRandom",
      { NumberOfBytes: 0 },
      { NumberOfBytes: 1 },
      `Value '0' at 'numberOfBytes' ${failed} have value greater than or equal to 1`,
    ],
    [
      "GenerateRandom",
      { NumberOfBytes: 1025 },
      { NumberOfBytes: 1024 },
      `Value '1025' at 'numberOfBytes' ${failed} have value less than or equal to 1024`,
    ],
    [
      "Encrypt",
      { KeyId: "k", Plaintext: Buffer.alloc(4097).toString("base64") },
      { KeyId: "k", Plaintext: Buffer.alloc(4096).toString("base64") },
      `Value at 'plaintext' ${failed} have length less than or equal to 4096`,
    ],
    ["DescribeKey", {}, { KeyId: "k" }, `Value null at 'keyId' ${failed} not be null`],
    [
      "GenerateDataKey",
      { KeyId: "k", KeySpec: "AES_512" },
      { KeyId: "k", KeySpec: "AES_256" },
      `Value 'AES_512' at 'keySpec' ${failed} satisfy enum value set: [AES_256, AES_128]`,
    ],
    [
      "TagResource",
      { KeyId: "k", Tags: [{ TagKey: "", TagValue: "" }] },
      { KeyId: "k", Tags: [{ TagKey: "a", TagValue: "" }] },
      `Value '' at 'tags.1.member.tagKey' ${failed} have length greater than or equal to 1`,
    ],
    [
      "CreateAlias",
      { AliasName: "alias/a b", TargetKeyId: "k" },
      { AliasName: "alias/a_b", TargetKeyId: "k" },
      `Value 'alias/a b' at 'aliasName' ${failed} satisfy regular expression pattern: ` +
        "^[a-zA-Z0-9:/_-]+$",
    ],
    [
      "Encrypt",
      { KeyId: "k", Plaintext: "AA==", GrantTokens: [""] },
      { KeyId: "k", Plaintext: "AA==", GrantTokens: ["a"] },
      `Value '[]' at 'grantTokens' ${failed} satisfy constraint: [Member must have length less ` +
        "than or equal to 8192, Member must have length greater than or equal to 1]",
    ],
  ];
  for (const [operation, bad, good, text] of cases) {
    it(`${operation}: ${text.slice(0, 60)}`, () => {
      assert.deepEqual(
        codeAndText(() => decodeJson("kms", operation, bad)),
        ["ValidationException", one + text],
      );
      assert(decodeJson("kms", operation, good));
    });
  }

  it("several faults are counted", () => {
    const { message } = refusalOf(() => decodeJson("kms", "CreateAlias", { AliasName: "" }));
    assert.match(message, /^3 validation errors detected: .*; .*; .*not be null$/);
  });

  it("a hostile list makes a short answer", () => {
    const Tags = Array.from({ length: 50_000 }, () => ({ TagKey: "" }));
    const { message } = refusalOf(() => decodeJson("kms", "TagResource", { KeyId: "k", Tags }));
    assert.match(message, /^50 validation errors detected/);
    assert(message.length < 10_000);
  });

  it("lengths count characters, not UTF-16 units", () => {
    const Description = "\u{1f511}".repeat(8192);
    assert(decodeJson("kms", "UpdateKeyDescription", { KeyId: "k", Description }));
    refusalOf(() =>
      decodeJson("kms", "UpdateKeyDescription", { KeyId: "k", Description: `${Description}a` }),
    );
  });

  it("a secret value is not repeated", () => {
    const secret = "not base 32!";
    const { message } = refusalOf(() =>
      decodeJson("kms", "CreateCustomKeyStore", {
        CustomKeyStoreName: "n",
        XksProxyAuthenticationCredential: { AccessKeyId: secret, RawSecretAccessKey: secret },
      }),
    );
    assert(!message.includes(secret), message);
    assert.match(message, /Value at 'xksProxyAuthenticationCredential.rawSecretAccessKey'/);
  });
});

describe("constraints of the query services", () => {
  it("STS shows the value", () => {
    const role = "RoleArn=arn:aws:iam::123456789012:role/r";
    assert.deepEqual(
      codeAndText(() => decodeForm("sts", "AssumeRole", `${role}&RoleSessionName=Session1:2`)),
      [
        "ValidationError",
        `${one}Value 'Session1:2' at 'roleSessionName' ${failed} satisfy regular expression ` +
          "pattern: [\\w+=,.@-]*",
      ],
    );
    assert(decodeForm("sts", "AssumeRole", `${role}&RoleSessionName=Session1`));
  });

  it("IAM leaves values out", () => {
    assert.deepEqual(
      codeAndText(() => decodeForm("iam", "CreateUser", "UserName=a%20b")),
      [
        "ValidationError",
        `${one}Value at 'userName' ${failed} satisfy regular expression pattern: [\\w+=,.@-]+`,
      ],
    );
    assert.deepEqual(
      codeAndText(() =>
        decodeForm("iam", "UpdateAccessKey", `AccessKeyId=${"A".repeat(20)}&Status=x`),
      ),
      ["ValidationError", `${one}Value at 'status' ${failed} satisfy enum value set`],
    );
    assert(decodeForm("iam", "CreateUser", "UserName=a.b"));
  });

  it("SNS names members inside maps and batches", () => {
    const attribute = "MessageAttributes.entry.1.Name=attr1&MessageAttributes.entry.1.Value";
    assert.deepEqual(
      codeAndText(() => decodeForm("sns", "Publish", `Message=m&${attribute}.StringValue=a`)),
      [
        "ValidationError",
        `${one}Value null at 'messageAttributes.attr1.member.dataType' ${failed} not be null`,
      ],
    );
    const entry = "PublishBatchRequestEntries.member.1";
    const batch = `TopicArn=t&${entry}.Id=1&${entry}.Message=m&${entry}.${attribute.replace(
      "&",
      `&${entry}.`,
    )}.StringValue=a`;
    const { message } = refusalOf(() => decodeForm("sns", "PublishBatch", batch));
    const path = "publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType";
    assert.equal(message, `${one}Value null at '${path}' ${failed} not be null`);
    assert(decodeForm("sns", "Publish", `Message=m&${attribute}.DataType=String`));
  });
});

describe("required parameters of SQS", () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ["SendMessage", { QueueUrl: "q" }, "MessageBody"],
    ["SendMessage", { QueueUrl: null, MessageBody: "m" }, "QueueUrl"],
    ["SendMessageBatch", { QueueUrl: "q" }, "Entries"],
    ["SetQueueAttributes", { QueueUrl: "q" }, "Attribute.Name"],
    ["AddPermission", { QueueUrl: "q", Label: "l", AWSAccountIds: ["1"] }, "ActionName"],
    ["TagQueue", { QueueUrl: "q" }, "Tags"],
    [
      "DeleteMessageBatch",
      { QueueUrl: "q", Entries: [{ Id: "a", ReceiptHandle: "h" }, { Id: "b" }] },
      "DeleteMessageBatchRequestEntry.2.ReceiptHandle",
    ],
  ];
  for (const [operation, input, name] of cases) {
    it(`${operation} without ${name}`, () => {
      const expected = ["MissingParameter", `The request must contain the parameter ${name}.`];
      assert.deepEqual(
        codeAndText(() => decodeJson("sqs", operation, input)),
        expected,
      );
    });
  }

  it("ranges and enums are left to the operations", () => {
    const input = { QueueUrl: "q", MaxNumberOfMessages: 11, AttributeNames: ["Nonsense"] };
    assert.deepEqual(decodeJson("sqs", "ReceiveMessage", input), input);
  });
});

describe("patterns of the models", () => {
  it("none takes long on a long hostile text", () => {
    const units = [
      "a",
      "/",
      "/a",
      "-",
      "a-",
      "0",
      ".",
      " ",
      "é",
      "\u{10000}",
      "aA0/-_.",
      "https://",
    ];
    for (const name of serviceNames) {
      for (const shape of Object.values(loadModel(name).shapes)) {
        if (!("pattern" in shape) || shape.pattern === undefined) continue;
        const expression = compilePattern(shape.pattern);
        const length = Math.min(shape.length?.[1] ?? 131_072, 131_072);
        const start = performance.now();
        for (const unit of units) {
          const text = unit.repeat(Math.floor(length / unit.length)).slice(0, -1);
          expression.test(`${text}\u0000`);
          expression.test(text);
        }
        const tookMs = performance.now() - start;
        assert(tookMs < 500, `${shape.pattern} took ${tookMs} ms`);
      }
    }
    // The twin: a pattern that does backtrack is caught by such a text.
    const start = performance.now();
    compilePattern("(a+)+").test(`${"a".repeat(26)}\u0000`);
    assert(performance.now() - start > 50, "the test can see a slow pattern");
  });
});
