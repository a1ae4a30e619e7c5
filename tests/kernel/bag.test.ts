import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bagged, bag } from "../../src/kernel/bag.ts";

/** Goal: a bag holds what was added and not removed. Method: beside a Set, in any order. */
test("a bag holds what was put in and not taken out", () => {
  const items = bag<Bagged & { readonly name: number }>();
  const expected = new Set<Bagged & { readonly name: number }>();
  for (let name = 0; name < 1000; name += 1) {
    const item = { place: -1, name };
    items.add(item);
    expected.add(item);
    // The first, the last and some in between go again.
    const goes = [...expected][name % 3 === 0 ? 0 : (name * 7) % expected.size];
    if (goes === undefined || name % 4 === 0) continue;
    items.remove(goes);
    expected.delete(goes);
    assert.equal(items.size, expected.size);
    assert.deepEqual(new Set(items.items), expected);
  }
  assert.ok(items.size > 0);
  for (const item of expected) items.remove(item);
  assert.equal(items.size, 0);
});
