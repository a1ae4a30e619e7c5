// Goal: remembering answers changes none of them, and takes no more room than it may.
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoText } from "../../src/kernel/memo.ts";

test("asked once for each text, within its limits", () => {
  const asked: string[] = [];
  const length = memoText(
    (text) => {
      asked.push(text);
      return text.length;
    },
    { entriesMax: 2, charactersMax: 3 },
  );
  assert.deepEqual([length("a"), length("a"), length("bb")], [1, 1, 2]);
  assert.deepEqual(asked, ["a", "bb"]);
  assert.deepEqual([length("long"), length("long")], [4, 4], "too long to be remembered");
  assert.deepEqual(asked, ["a", "bb", "long", "long"]);
  assert.deepEqual([length("c"), length("a")], [1, 1], "full: begun anew");
  assert.deepEqual(asked.slice(4), ["c", "a"]);
});

test("texts that UTF-8 cannot tell apart are told apart", () => {
  const code = memoText((text) => text.charCodeAt(0));
  assert.deepEqual([code("\ud800"), code("\ufffd"), code("\ud800")], [0xd800, 0xfffd, 0xd800]);
});

test("what is thrown is thrown each time", () => {
  let asked = 0;
  const refuse = memoText(() => {
    asked += 1;
    throw new Error("no");
  });
  for (const _ of [1, 2]) assert.throws(() => refuse("x"), /no/);
  assert.equal(asked, 2);
});
