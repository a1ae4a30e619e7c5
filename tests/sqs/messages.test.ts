import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { test } from "node:test";
import { Refusal } from "../../src/kernel/errors.ts";
import { md5OfAttributes } from "../../src/services/sqs/md5.ts";
import {
  attributeFilter,
  isLegalText,
  packAttributes,
  packSystemAttributes,
  unpackAttributes,
} from "../../src/services/sqs/message-attributes.ts";
import type { Tokens } from "../../src/services/sqs/ports.ts";
import { queueOf } from "../../src/services/sqs/queue.ts";
import { makeReceiptHandle, readReceiptHandle } from "../../src/services/sqs/receipt-handle.ts";

// Goal: digests are AWS's, attributes survive storage, and receipt handles cannot be made up.
// Method: values recorded from AWS; round trips; every byte of a handle changed in turn.

const refuses = (act: () => unknown, message: RegExp) =>
  assert.throws(act, (error) => error instanceof Refusal && message.test(error.message));

test("MD5s are those that AWS answers", () => {
  const hello = [{ name: "Hello", dataType: "String", value: "World" }];
  assert.equal(md5OfAttributes(hello), "7db7fb1ba7f41366a8ea5eb18220b26d");
  const trace = { AWSTraceHeader: { DataType: "String", StringValue: "some-trace-id" } };
  assert.equal(packSystemAttributes(trace)?.md5, "fdce4f2818803f2f73becc09a54792c0");
});

test("attributes come back as they were sent, filtered, with the MD5 of what comes back", () => {
  const given = {
    Hello: { DataType: "String", StringValue: "World" },
    "price.low": { DataType: "Number.eur", StringValue: "-1.5e3" },
    ["__proto__"]: { DataType: "Binary", BinaryValue: Buffer.from([0, 255, 10]) },
  };
  const packed = packAttributes(given);
  assert.ok(packed);
  const all = unpackAttributes(packed.text, attributeFilter(["All"]));
  assert.deepEqual(Object.entries(all?.attributes ?? {}), Object.entries(given));
  assert.equal(all?.md5, packed.md5);
  const some = unpackAttributes(packed.text, attributeFilter(["Hello", "price.*"]));
  assert.deepEqual(Object.keys(some?.attributes ?? {}), ["Hello", "price.low"]);
  assert.notEqual(some?.md5, packed.md5);
  assert.equal(unpackAttributes(packed.text, attributeFilter(["none"])), undefined);
  assert.equal(unpackAttributes(packed.text, undefined), undefined);
});

test("each wrong attribute has AWS's text", () => {
  const one = (name: string, value: object) =>
    packAttributes({ [name]: { DataType: "String", ...value } });
  refuses(() => one("a", { StringValue: "" }), /must contain a non-empty value of type 'String'/);
  refuses(() => one("a", {}), /must contain a non-empty message attribute value/);
  refuses(() => one("a", { DataType: "Int", StringValue: "1" }), /supported type prefixes/);
  refuses(() => one("", { StringValue: "x" }), /non-empty message \(user\) attribute names/);
  refuses(() => one("AWS.x", { StringValue: "x" }), /reserved for internal use/);
  refuses(() => one("amazon.x", { StringValue: "x" }), /reserved for internal use/);
  refuses(() => one("a..b", { StringValue: "x" }), /Invalid message \(user\) attribute name/);
  refuses(() => one("x".repeat(257), { StringValue: "x" }), /shorter than 256 bytes/);
  refuses(() => one("a", { StringValue: "x\u0001" }), /contains invalid characters/);
  refuses(() => one("a", { StringListValues: ["x"] }), /list values in SendMessage/);
  for (const DataType of ["Number", "String.trace", "Binary"]) {
    const AWSTraceHeader = { DataType, StringValue: "1", BinaryValue: Buffer.from("1") };
    refuses(() => packSystemAttributes({ AWSTraceHeader }), /supported type prefixes: String\.$/);
  }
  const eleven = Array.from({ length: 11 }, (_, n) => [
    `a${n}`,
    { DataType: "String", StringValue: "x" },
  ]);
  refuses(() => packAttributes(Object.fromEntries(eleven)), /\[11\] exceeds the allowed maximum/);
  refuses(
    () => packSystemAttributes({ Other: { DataType: "String", StringValue: "x" } }),
    /Message system attribute name 'Other' is invalid\./,
  );
});

test("numbers have up to 38 digits between 10^-128 and 10^126", () => {
  const send = (text: string) =>
    packAttributes({ n: { DataType: "Number", StringValue: text } }) !== undefined;
  const right = ["0", "-0.0", "1.", ".5", "+7", "1e126", "1e-128", "9".repeat(38), "1000e10"];
  for (const text of right) assert.ok(send(text), text);
  const wrong = ["", ".", "e5", "1e127", "1e-129", "9".repeat(39), "0x10", "1 ", "NaN", "1e99999"];
  for (const text of wrong.slice(1)) refuses(() => send(text), /to a number\.$/);
});

test("only the characters that AWS allows are legal", () => {
  for (const text of ["\t\n\r ~", "\ud7ff\ue000\ufffd", "😀", "\u{10ffff}"]) {
    assert.ok(isLegalText(text), JSON.stringify(text));
  }
  for (const text of ["\u0000", "\u0008", "\u000b", "\u001f", "\ud800", "\udc00x", "\uffff"]) {
    assert.ok(!isLegalText(text), JSON.stringify(text));
  }
});

const tokens: Tokens = {
  sign: (bytes) => createHmac("sha256", "key").update(bytes).digest(),
  verify: (bytes, mac) => {
    const expected = createHmac("sha256", "key").update(bytes).digest();
    return expected.length === mac.length && timingSafeEqual(expected, mac);
  },
};

function queueNamed(name: string) {
  const record = { queueId: "0".repeat(32), createdMs: 0, modifiedMs: 0, attributes: {}, tags: {} };
  return queueOf(record, { accountId: "123456789012", region: "us-east-1" }, name);
}

test("a receipt handle says what was put in, for its own queue, and cannot be changed", () => {
  const receipt = {
    queueId: "0123456789abcdef0123456789abcdef",
    sequence: 2 ** 40 + 5,
    messageId: "5fea7756-0ea4-451a-a703-a558b933e274",
    claimId: "00ff00ff00ff00ff",
  };
  const queue = queueNamed("orders");
  const handle = makeReceiptHandle(tokens, queue, receipt);
  assert.ok(handle.length <= 1024);
  assert.deepEqual(readReceiptHandle(tokens, queue, handle), receipt);
  assert.equal(readReceiptHandle(tokens, queueNamed("others"), handle), undefined);
  const bytes = Buffer.from(handle, "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((bytes[at] ?? 0) ^ 1, at);
    assert.equal(readReceiptHandle(tokens, queue, changed.toString("base64url")), undefined);
  }
  for (const garbage of ["", "garbage", "ä", handle.slice(0, 40), "A".repeat(5000)]) {
    assert.equal(readReceiptHandle(tokens, queue, garbage), undefined);
  }
});
