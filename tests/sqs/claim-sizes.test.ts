// Goal: consumers of long messages get fewer at a time, and lose none. Method: the sizes alone, and
// the service over the real store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClaimSizes } from "../../src/services/sqs/claim-sizes.ts";
import { url, withQueue } from "./one-queue.ts";

const mebibyte = 1024 * 1024;
const messages = (...lengths: number[]) =>
  lengths.map((length) => ({ bytes: new Uint8Array(length) }));

test("a claim asks for as many as the one before it allows", () => {
  const sizes = createClaimSizes();
  assert.equal(sizes.countFor("a", 10), 10, "nothing is known");
  assert.equal(sizes.countFor("a", 10), 2, "the first has not found anything yet");
  sizes.saw("a", []);
  assert.equal(sizes.countFor("a", 10), 10, "nothing was there");
  sizes.saw("a", messages(mebibyte));
  assert.equal(sizes.countFor("a", 10), 3);
  assert.equal(sizes.countFor("a", 1), 1);
  assert.equal(sizes.countFor("b", 10), 10, "another queue");
  sizes.saw("a", []);
  assert.equal(sizes.countFor("a", 10), 3, "nothing is left");
  sizes.saw("a", messages(6 * mebibyte));
  assert.equal(sizes.countFor("a", 10), 1, "one at least");
  sizes.saw("a", messages(mebibyte, 10, 10, 10, 10));
  assert.equal(sizes.countFor("a", 10), 10, "few are long");
  sizes.saw("a", messages(...Array<number>(10).fill(mebibyte / 4 + 200)));
  assert.equal(sizes.countFor("a", 10), 10, "ten of 256 KiB, sealed");
});

test("messages of 1 MiB come a few at a time, each of them once", async (t) => {
  const { here } = await withQueue(t);
  const bodies = Array.from({ length: 7 }, (_, index) => `${index}`.padEnd(mebibyte, "x"));
  for (const MessageBody of bodies) {
    await here.call("SendMessage", { QueueUrl: url("orders"), MessageBody });
  }
  const take = async (MaxNumberOfMessages: number) => {
    const input = { QueueUrl: url("orders"), MaxNumberOfMessages };
    const { Messages = [] } = await here.call<{ Messages?: readonly { Body: string }[] }>(
      "ReceiveMessage",
      input,
    );
    return Messages.map(({ Body }) => Body);
  };
  const found = await take(1);
  const counts: number[] = [];
  for (let some = await take(10); some.length > 0; some = await take(10)) {
    counts.push(some.length);
    found.push(...some);
  }
  assert.deepEqual(counts, [2, 2, 2]);
  assert.deepEqual(found.toSorted(), bodies);
});
