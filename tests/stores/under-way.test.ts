// Goal: groups are over when all that they asked is answered, whichever way answers come together.
// Method: groups answered one by one, several at once, and in parts.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { GroupsUnderWay } from "../../src/stores/sqlite/under-way.ts";

test("one by one, several at once, in parts", () => {
  const groups = new GroupsUnderWay();
  for (const questions of [3, 1, 5]) groups.begin(questions);
  groups.answered(2);
  equal(groups.count, 3, "one of the first group is left");
  groups.answered(2);
  equal(groups.count, 1, "the rest of the first, and the second");
  groups.answered(5);
  equal(groups.count, 0);
  groups.begin(2);
  equal(groups.count, 1);
});
