// Goal: the log of denials stays small and strangers cannot empty it of what users need. Method:
// the log alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDenialLog, type NotedDenial } from "../../src/doctor/denial-log.ts";

const denial = (requestId: string, more: Partial<NotedDenial> = {}): NotedDenial => ({
  requestId,
  atMs: 1,
  service: "sns",
  operation: "Publish",
  region: "us-east-1",
  caller: "arn:aws:iam::111122223333:user/a",
  anonymous: false,
  action: "sns:Publish",
  resource: "arn:aws:sns:us-east-1:111122223333:t",
  code: "AuthorizationError",
  message: "no",
  request: undefined,
  ...more,
});

test("the oldest go first, and strangers only push out strangers", () => {
  const log = createDenialLog({ signedMax: 3, anonymousMax: 2 });
  for (let i = 0; i < 5; i++) log.note(denial(`signed-${i}`, { atMs: i }));
  for (let i = 0; i < 1000; i++) {
    log.note(denial(`stranger-${i}`, { atMs: 10 + i, anonymous: true }));
  }
  assert.deepEqual(
    log.latest(10).map(({ requestId }) => requestId),
    ["stranger-999", "stranger-998", "signed-4", "signed-3", "signed-2"],
  );
  assert.equal(log.of("signed-4").length, 1);
  assert.deepEqual(log.of("signed-1"), [], "the twin: it was pushed out");
});

test("denials of one request stay together; the same one again is one", () => {
  const log = createDenialLog();
  log.note(denial("r"));
  log.note(denial("r", { action: "kms:Decrypt" }));
  log.note(denial("r", { message: "decided again" }));
  const found = log.of("r").map(({ action, message }) => [action, message]);
  assert.deepEqual(found, [
    ["kms:Decrypt", "no"],
    ["sns:Publish", "decided again"],
  ]);
});
