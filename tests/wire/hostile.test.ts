// Goal: hostile or broken bytes get a clean refusal, pollute nothing and cost little. Method: one
// case per attack against real operations; random bytes as a property.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Refusal } from "../../src/kernel/errors.ts";
import type { WireRequest } from "../../src/wire/service.ts";
import { loadWireServices } from "../../src/wire/service.ts";
import { testRuns } from "../harness/runs.ts";
import { codeAndText, refusalOf } from "./support/refused.ts";
import { formRequest, jsonRequest } from "./support/requests.ts";

const services = loadWireServices();

function decodeJson(operation: string, body: unknown, service = "sqs"): unknown {
  return services.get(service)?.decode(operation, "json", jsonRequest("", body));
}

function decodeForm(operation: string, body: string | Buffer, service = "sns"): unknown {
  return services.get(service)?.decode(operation, "query", formRequest(body));
}

function member(value: unknown, ...names: string[]): unknown {
  let inner = value;
  for (const name of names) inner = (inner as Record<string, unknown>)[name];
  return inner;
}

describe("keys that name a prototype", () => {
  it("in JSON they are keys of maps like any other, and unknown members elsewhere", () => {
    const input = decodeJson(
      "TagQueue",
      '{"QueueUrl":"q","__proto__":{"a":1},"constructor":{"prototype":{"a":1}},' +
        '"Tags":{"__proto__":"p","constructor":"c","toString":"t"}}',
    );
    assert.deepEqual(Object.keys(input as object), ["QueueUrl", "Tags"]);
    const tags = member(input, "Tags") as object;
    assert.equal(Object.getPrototypeOf(tags), null);
    assert.deepEqual(Object.entries(tags), [
      ["__proto__", "p"],
      ["constructor", "c"],
      ["toString", "t"],
    ]);
    assert.equal(Object.hasOwn(Object.prototype, "a"), false);
    assert.equal(Object.getPrototypeOf(input), Object.prototype);
  });

  it("as structures in a map", () => {
    const body =
      '{"QueueUrl":"q","MessageBody":"m","MessageAttributes":' +
      '{"__proto__":{"DataType":"String","StringValue":"v"}}}';
    const attributes = member(decodeJson("SendMessage", body), "MessageAttributes") as object;
    assert.deepEqual(Object.entries(attributes), [
      ["__proto__", { DataType: "String", StringValue: "v" }],
    ]);
  });

  it("in a form they are keys of maps, and unknown parameters elsewhere", () => {
    const entry = "Attributes.entry.1";
    const body = `Name=n&__proto__.a=1&constructor.prototype.a=1&${entry}.key=__proto__&${entry}.value=v`;
    const input = decodeForm("CreateTopic", body);
    assert.deepEqual(Object.entries(member(input, "Attributes") as object), [["__proto__", "v"]]);
    assert.equal(Object.hasOwn(Object.prototype, "a"), false);
  });
});

describe("broken JSON", () => {
  const depth = 100_000;
  const cases: readonly (readonly [string, string | Buffer])[] = [
    ["no JSON", "{"],
    ["trailing bytes", "{}x"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ["deep lists", `{"QueueUrl":${"[".repeat(depth)}${"]".repeat(depth)}}`],
    ["deep lists in an unknown member", `{"x":${"[".repeat(depth)}${"]".repeat(depth)}}`],
    ["deep structures, cut off", '{"a":'.repeat(depth)],
    ["a list", "[]"],
    ["a number", "1"],
    ["null", "null"],
  ];
  for (const [title, body] of cases) {
    it(title, () => {
      const refusal = refusalOf(() => decodeJson("SendMessage", body));
      assert.equal(refusal.code, "SerializationException");
    });
  }

  it("brackets inside a text are no nesting", () => {
    const MessageBody = `${"[".repeat(1000)}\\"${"{".repeat(1000)}\\\\`;
    const input = decodeJson("SendMessage", { QueueUrl: "q", MessageBody });
    assert.equal(member(input, "MessageBody"), MessageBody);
  });
});

describe("wrong types in JSON", () => {
  const text = "Start of structure or map found where not expected.";
  const list = "Start of list found where not expected";
  const cases: readonly (readonly [string, object, string])[] = [
    ["SendMessage", { MessageBody: {} }, text],
    ["SendMessage", { MessageBody: ["a"] }, list],
    ["SendMessage", { MessageBody: 1 }, "NUMBER_VALUE can not be converted to a String"],
    ["SendMessage", { MessageBody: true }, "TRUE_VALUE can not be converted to a String"],
    ["SendMessage", { DelaySeconds: "5" }, "STRING_VALUE can not be converted to an Integer"],
    ["SendMessage", { DelaySeconds: 1.5 }, "NUMBER_VALUE can not be converted to an Integer"],
    ["SendMessage", { DelaySeconds: 2 ** 31 }, "NUMBER_VALUE can not be converted to an Integer"],
    ["SendMessage", { MessageAttributes: [] }, list],
    [
      "SendMessage",
      { MessageAttributes: { a: { DataType: "Binary", BinaryValue: "?" } } },
      "STRING_VALUE can not be converted to a Blob",
    ],
    [
      "ReceiveMessage",
      { AttributeNames: "All" },
      "Unrecognized collection type class java.lang.String",
    ],
    ["ReceiveMessage", { AttributeNames: {} }, text],
    ["ReceiveMessage", { AttributeNames: [null] }, "A string in a list may not be null."],
    ["TagQueue", { Tags: { a: null } }, "A value in a map may not be null."],
  ];
  for (const [operation, input, message] of cases) {
    it(`${operation} ${JSON.stringify(input)}`, () => {
      assert.deepEqual(
        codeAndText(() => decodeJson(operation, { QueueUrl: "q", ...input })),
        ["SerializationException", message],
      );
    });
  }

  it("a timestamp out of range", () => {
    const refusal = refusalOf(() => decodeJson("LookupEvents", { StartTime: 1e300 }, "cloudtrail"));
    assert.equal(refusal.code, "SerializationException");
    assert.deepEqual(decodeJson("LookupEvents", { StartTime: 1.5 }, "cloudtrail"), {
      StartTime: 1500,
    });
  });
});

describe("broken forms", () => {
  const cases: readonly (readonly [string, string | Buffer])[] = [
    ["a bad percent-encoding", "Name=%zz"],
    ["a cut percent-encoding", "Name=%c3"],
    ["percent-encoded bytes that are no UTF-8", "Name=%ff"],
    ["raw bytes that are no UTF-8", Buffer.from([0x4e, 0x3d, 0xff])],
    ["one name with two values", "Name=a&Name=b"],
    ["a deep name", `Name=n&${"a.".repeat(200)}b=1`],
    ["a list without numbers", "Name=n&Tags.member.x.Key=a"],
    ["a list from zero", "Name=n&Tags.member.0.Key=a"],
    ["a text for a list", "Name=n&Tags=a"],
    ["a map entry without a key", "Name=n&Attributes.entry.1.value=a"],
    ["a map entry without a value", "Name=n&Attributes.entry.1.key=a"],
    ["too many parameters", Array.from({ length: 20_001 }, (_, i) => `a${i}=`).join("&")],
  ];
  for (const [title, body] of cases) {
    it(title, () => {
      assert.equal(refusalOf(() => decodeForm("CreateTopic", body)).code, "MalformedInput");
    });
  }

  it("numbers and booleans that are none", () => {
    const users = (body: string) => () => decodeForm("ListUsers", body, "iam");
    for (const value of ["abc", "", "1.5", "99999999999", "0x10", "1e3"]) {
      assert.equal(refusalOf(users(`MaxItems=${value}`)).code, "MalformedInput");
    }
    assert.deepEqual(users("MaxItems=10")(), { MaxItems: 10 });
  });

  it("the same value twice, gaps in numbers and empty lists are fine", () => {
    assert.deepEqual(decodeForm("CreateTopic", "Name=a&Name=a&&Tags="), { Name: "a", Tags: [] });
    const tag = (n: number) => `Tags.member.${n}.Key=${n}&Tags.member.${n}.Value=v`;
    const input = decodeForm("CreateTopic", `Name=a&${tag(10)}&${tag(9)}`);
    assert.deepEqual(member(input, "Tags"), [
      { Key: "9", Value: "v" },
      { Key: "10", Value: "v" },
    ]);
  });
});

describe("random bytes", () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json({ maxDepth: 5 }).map((text) => Buffer.from(text)),
    fc.webQueryParameters().map((text) => Buffer.from(text)),
  );

  it("are decoded or refused, never a failure of ours", () => {
    const property = fc.property(bodies, fc.string(), (body, path) => {
      for (const [service, wire] of services) {
        const operation = wire.operationNames[body.length % wire.operationNames.length] ?? "";
        const requests: readonly WireRequest[] = [
          formRequest(body, { path, query: body.toString("latin1") }),
          jsonRequest(path, body),
        ];
        for (const request of requests) {
          const protocol = wire.protocolOf(request);
          for (const run of [
            () => wire.identify(request),
            () => wire.decode(operation, protocol, request),
          ]) {
            try {
              run();
            } catch (error) {
              assert(error instanceof Refusal, `${service} ${operation}: ${error}`);
              wire.encodeError(protocol, error, "r");
            }
          }
        }
      }
    });
    fc.assert(property, { numRuns: testRuns(300) });
  });
});
