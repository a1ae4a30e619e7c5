// Goal: what the command says fits a terminal, and stays plain for everything else. Method: fold
// texts; run the command with and without a width; look for escape codes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createStory } from "../../src/cli/demo/story.ts";
import { fold } from "../../src/cli/fold.ts";
import { paintFor } from "../../src/cli/paint.ts";
import { temporaryFolder } from "../gateway/support.ts";
import { run } from "./support.ts";

const escapeCode = "\u001b[";

test("lines are folded at blanks, never within a word", () => {
  assert.equal(fold("one two three", 7, "  "), "one two\n  three");
  assert.equal(fold("  one two three", 9, "    "), "  one two\n    three");
  assert.equal(
    fold("arn:aws:sns:us-east-1:1:orders is long", 10),
    "arn:aws:sns:us-east-1:1:orders\nis long",
  );
  assert.equal(fold("to arn:aws:iam", 11, "  "), "to\narn:aws:iam", "not indented past the edge");
  assert.equal(fold("short", 80), "short");
  assert.equal(fold("then run `npm ci` again", 14), "then run\n`npm ci` again");
  assert.equal(fold("a b\nc d", 1), "a\nb\nc\nd");
});

test("an error is folded on a terminal, and one line for a program", async (t) => {
  const workingDirectory = temporaryFolder(t);
  const args = ["serve", "--host", "0.0.0.0", "--data", "/d"];
  const plain = await run(args, { workingDirectory });
  assert.equal(plain.code, 2);
  assert.equal(plain.err.trimEnd().split("\n").length, 1);
  const shown = await run(args, { workingDirectory, io: { columns: 80 } });
  const lines = shown.err.trimEnd().split("\n");
  assert.ok(lines.length > 1);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
});

test("colour for terminals only, and none with NO_COLOR", () => {
  const io = (terminal: boolean, NO_COLOR?: string) =>
    ({ terminal, environment: { NO_COLOR } }) as unknown as Parameters<typeof paintFor>[0];
  assert.ok(paintFor(io(true)).bad("x").includes(escapeCode));
  for (const plain of [io(false), io(true, "1"), io(false, "1")]) {
    assert.equal(paintFor(plain).bad("x"), "x");
  }
});

test("the demo's story fits 80 columns, but for words that are longer", () => {
  let text = "";
  const story = createStory(
    (more) => {
      text += more;
    },
    false,
    80,
  );
  story.say(`${"word ".repeat(40)}end`);
  story.shows(`${"KMSAccessDenied ".repeat(20)}end`);
  story.proves(`${"claim ".repeat(30)}end`, true);
  assert.deepEqual(
    text.split("\n").filter((line) => line.length > 80),
    [],
  );
  assert.equal(text.includes(escapeCode), false);
});
