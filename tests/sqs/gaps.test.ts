// Goal: a body that another service left a gap in is received whole or not at all, and nobody
// outside can leave one. Method: the service over the real store; the test fills the gaps.
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { Fault } from "../../src/kernel/errors.ts";
import { SharedText } from "../../src/kernel/shared-text.ts";
import { counts, refused, withQueue } from "./one-queue.ts";

const gap = { at: 5, bytes: 3, note: "x" };
const lacking = (text: string, changes = {}) => ({
  shared: new SharedText(text, { ...gap, ...changes }),
});

test("a gap is filled before the body is seen, and counts for the size", async (t) => {
  const { here, send, receive } = await withQueue(t, { MaximumMessageSize: "1024" });
  await send("hälo, world", lacking("hälo, world", { at: 3 }));
  const [got] = await receive();
  assert.equal(got?.Body, "häxxxlo, world");
  assert.equal(got?.MD5OfBody, hash("md5", "häxxxlo, world"));
  const [long, longer] = ["x".repeat(1021), "x".repeat(1022)];
  await assert.rejects(send(longer, lacking(longer)), refused("InvalidParameterValue"));
  await send(long, lacking(long));
  assert.deepEqual(await counts(here), [1, 1, 0]);
});

test("where it cannot be filled now, the message is given back, uncounted", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await send("hello", lacking("hello"));
  here.fillGap = async () => {
    throw new Fault("store", "the signing key cannot be read now");
  };
  await assert.rejects(receive(), (error) => error instanceof Fault);
  assert.deepEqual(await counts(here), [1, 0, 0]);
  here.fillGap = async () => Buffer.from("XYZ");
  const [got] = await receive();
  assert.equal(got?.Body, "helloXYZ");
  assert.equal(got?.Attributes?.ApproximateReceiveCount, "1");
});

test("a body that would read as one with a gap is nothing that a sender may write", async (t) => {
  const { send } = await withQueue(t);
  await assert.rejects(
    send("\0\0\0\0\0\0\0\0\u0003\u0001xhello"),
    refused("InvalidMessageContents"),
  );
});
