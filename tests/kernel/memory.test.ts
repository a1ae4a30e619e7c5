/** Goal: memory that is given back is only what nothing else lies in. Method: arrays of each kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { giveBack } from "../../src/kernel/memory.ts";

test("bytes with a buffer of their own are given back, once", () => {
  const bytes = Buffer.allocUnsafeSlow(100_000);
  const view = bytes.subarray(10, 20);
  giveBack(bytes);
  assert.equal(bytes.length, 0);
  assert.equal(view.length, 0);
  giveBack(bytes);
});

test("bytes that share their buffer, or are few, are left alone", () => {
  const whole = Buffer.alloc(100_000, 1);
  giveBack(whole.subarray(0, 50_000));
  giveBack(whole.subarray(50_000));
  assert.equal(whole[99_999], 1);
  const few = Buffer.alloc(100, 2);
  giveBack(few);
  assert.equal(few[99], 2);
});

test("memory that several threads see is left alone", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  giveBack(shared);
  assert.equal(shared.length, 100_000);
});
