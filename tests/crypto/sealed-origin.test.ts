import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const sources = new URL("../../src/", import.meta.url);
/** A cast to `Sealed`, to an array of it, or through the old angle form. */
const cast = /\bas\s+(?:readonly\s+)?Sealed(?:Share)?\b|<\s*Sealed\s*>\s*[({[\w]/;

const castsIn = (text: string): boolean => cast.test(text);

// Goal: no file but the envelopes makes a `Sealed`, so no plaintext can pose as one. Method: search
// all sources for the cast that this takes; the type has no other maker. The store thread's end of
// the passage reads what the gateway's end wrote, which took a `Sealed`.
test("only the envelopes make Sealed", () => {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" });
  const makers = files
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => castsIn(readFileSync(new URL(name, sources), "utf8")));
  assert.deepEqual(makers.sort(), [
    "crypto/envelope.ts",
    "crypto/shared-envelope.ts",
    "stores/sqlite/passing/new-body.ts",
  ]);
});

// Twin: the search finds the casts that it is for, and lets mere uses of the type pass.
test("the search finds casts", () => {
  for (const text of [
    "x as Sealed",
    "x as unknown as Sealed[]",
    "x as readonly Sealed[]",
    "return <Sealed>{ bytes }",
  ]) {
    assert.ok(castsIn(text), text);
  }
  for (const text of [
    "body: Sealed",
    "readonly Sealed[]",
    "Map<string, Sealed>()",
    "as SealedRow",
  ]) {
    assert.ok(!castsIn(text), text);
  }
});
