// Goal: last uses are told as they are, taken once, and bounded. Method: the notes themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLastUses } from "../../src/assembly/last-uses.ts";

test("the last use counts, and what was told before stays as it was", () => {
  const uses = createLastUses();
  assert.equal(uses.of("AKIA1"), undefined);
  uses.note("AKIA1", 1, "sqs", "eu-central-1");
  const first = uses.of("AKIA1");
  uses.note("AKIA1", 2, "sns", "us-east-1");
  assert.deepEqual(first, { atMs: 1, service: "sqs", region: "eu-central-1" });
  assert.deepEqual(uses.of("AKIA1"), { atMs: 2, service: "sns", region: "us-east-1" });
});

test("a use is taken once, and again when there was another", () => {
  const uses = createLastUses();
  uses.note("AKIA1", 1, "sqs", "us-east-1");
  uses.note("AKIA2", 2, "sqs", "us-east-1");
  assert.deepEqual([...uses.take().keys()], ["AKIA1", "AKIA2"]);
  assert.equal(uses.take().size, 0);
  uses.note("AKIA2", 3, "kms", "us-east-1");
  const again = uses.take();
  assert.deepEqual([...again], [["AKIA2", { atMs: 3, service: "kms", region: "us-east-1" }]]);
  assert.equal(uses.of("AKIA1")?.atMs, 1, "taken, not forgotten");
});

test("of too many, those that were noted first are forgotten", () => {
  const uses = createLastUses();
  for (let key = 0; key < 10_002; key += 1) uses.note(`AKIA${key}`, key, "sqs", "us-east-1");
  assert.equal(uses.take().size, 10_000);
  assert.equal(uses.of("AKIA1"), undefined);
  assert.equal(uses.of("AKIA2")?.atMs, 2);
});
