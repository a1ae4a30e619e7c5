// Goal: random UUIDs have the form of version 4, none comes twice, and every free bit is random.
import assert from "node:assert/strict";
import { test } from "node:test";
import { randomUuid } from "../../src/crypto/uuid.ts";

const count = 4_000;

test("ids have the form of version 4 and none comes twice", () => {
  const ids = Array.from({ length: count }, randomUuid);
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  for (const id of ids) assert.match(id, form);
  assert.equal(new Set(ids).size, count);
});

test("each of the 122 free bits is set in about half of them, the others never change", () => {
  const set = new Array<number>(128).fill(0);
  for (let made = 0; made < count; made++) {
    const bits = BigInt(`0x${randomUuid().replaceAll("-", "")}`);
    for (let bit = 0; bit < 128; bit++)
      if ((bits >> BigInt(127 - bit)) & 1n) set[bit] = (set[bit] ?? 0) + 1;
  }
  const fixed = set.flatMap((times, bit) => (times === 0 || times === count ? [bit] : []));
  assert.deepEqual(fixed, [48, 49, 50, 51, 64, 65]);
  // Eight standard deviations: it does not happen.
  const far = set.filter((times) => Math.abs(times - count / 2) > 8 * Math.sqrt(count / 4));
  assert.equal(far.length, fixed.length);
});
