// Goal: every command of the README and the guides works as printed. Method: the `sh` blocks of a
// page are one shell script in an empty folder; see ./shell-pages.ts for what blocks may say.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { guides, root, runPage } from "./shell-pages.ts";

/** What a page's commands print; other pages only have to succeed. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  "README.md": [/^a temporary server for the tests$/m],
  "docs/guide/tour.md": [
    /^denied: 1 of 7 hops$/m,
    /^allowed: 7 hops$/m,
    /^\{"patient": 2911, "allergy": "penicillin"\}$/m,
    /GenerateDataKey/,
    /^not found$/m,
  ],
  "docs/guide/clients.md": [
    /"Account": "123456789012"/,
    /<ListTopicsResponse/,
    /hello$/m,
    /^a temporary server for the tests$/m,
  ],
  "docs/guide/testing-with-the-clock.md": [/^take your pills$/m],
  "docs/guide/from-localstack.md": [/^000000000000$/m, /"sns": "(available|running)"/],
  "docs/guide/encryption-explained.md": [
    /^not found$/m,
    /GenerateDataKey/,
    /KmsDisabled|KMS\.Disabled/,
  ],
  "docs/guide/operating.md": [/"status":"ok"/, /^# HELP/m],
  "docs/guide/security.md": [/:user\/admin$/m, /GenerateDataKey/],
  "docs/guide/doctor.md": [/^allowed: 3 hops$/m, /could not publish/],
};

for (const page of ["README.md", ...guides]) {
  test(`${page}: its commands work as printed`, async (t) => {
    const { code, output, missing } = await runPage(t, page);
    if (missing.length > 0) t.diagnostic(`left out, not here: ${missing.join(", ")}`);
    assert.equal(code, 0, output);
    if (missing.length > 0) return;
    for (const pattern of expected[page] ?? []) assert.match(output, pattern);
    if (page === "docs/guide/tour.md") showsTheReadmesLines(output);
  });
}

/** The README's lines of `doctor path` are those that the tour prints, but for ids of keys. */
function showsTheReadmesLines(output: string): void {
  const readme = readFileSync(`${root}/README.md`, "utf8");
  const block = /^```text\n(✔ sns:records[\s\S]*?)^```$/m.exec(readme)?.[1];
  assert.ok(block, "the README has lines of doctor");
  const plain = (text: string) => text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID");
  assert.ok(plain(output).includes(plain(block)), `not what doctor prints:\n${block}\n${output}`);
}

test("every block says what it is, so that none is left out by mistake", () => {
  const kinds = /^(sh( (server|stopped|needs=[a-z0-9]+))*|json|js|ini|text)$/;
  const wrong = ["README.md", ...guides].flatMap((page) => {
    const fences = readFileSync(`${root}/${page}`, "utf8").match(/^```.*$/gm) ?? [];
    return fences
      .filter((fence, index) => index % 2 === 0 && !kinds.test(fence.slice(3)))
      .map((fence) => `${page}: ${fence}`);
  });
  assert.deepEqual(wrong, []);
});

test("a command that fails would be noticed", async (t) => {
  const { code } = await runPage(t, "docs/guide/tour.md", () => [{ info: "", text: "false" }]);
  assert.notEqual(code, 0);
});
