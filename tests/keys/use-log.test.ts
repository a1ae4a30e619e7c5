import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blobIdentity } from "../../src/crypto/blob.ts";
import { createRing } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import { startKeyProcess } from "../../src/keys/client.ts";
import { operations } from "../../src/keys/protocol.ts";
import { createUseLog, followLines, type UseLog } from "../../src/keys/use-log.ts";
import { openUseLog, readUseLog } from "../../src/keys/use-log-file.ts";
import { context, folderFor, identity, recordingLog } from "./helpers.ts";

// Goal: the key process keeps a log of its own of what was done with which material, which nobody
// else can change unseen. Method: known uses over two runs; then every kind of change to the lines.
test("uses are logged, chained over restarts, and changes are found", async (t) => {
  const folder = folderFor(t);
  const useLogFile = join(folder, "key-uses.log");
  const { log } = recordingLog();
  const settings = { kind: "file", path: join(folder, "root.key"), mayCreate: true } as const;
  const start = (ring?: Uint8Array) =>
    startKeyProcess({
      ...{ seal: { settings }, ring, log, useLogFile },
      storedSeal: ring && { kind: "file" },
    });
  const first = await start();
  const material = await first.createMaterial(identity);
  const request = { ...identity, material, context };
  const blob = await first.encrypt({ ...request, plaintext: Buffer.from("record") });
  for (let count = 0; count < 3; count += 1) await first.decrypt({ ...request, blob });
  await first.close();
  appendFileSync(useLogFile, '{"torn by a cra');
  const second = await start(first.ring);
  await second.decrypt({ ...request, blob });
  await second.firstBrokenUse([]);
  const lines = readUseLog(useLogFile);
  const uses = lines.flatMap((line) => JSON.parse(line).uses as unknown[][]);
  const total = (operation: string) =>
    uses.filter(([name]) => name === operation).reduce((sum, use) => sum + Number(use.at(-1)), 0);
  assert.deepEqual([total("create"), total("encrypt"), total("decrypt")], [1, 1, 4]);
  assert.equal(statSync(useLogFile).mode & 0o777, 0o600);
  assert.ok(lines.length >= 2);
  assert.ok(!readFileSync(useLogFile, "utf8").includes("record"));

  assert.equal(await second.firstBrokenUse(lines), undefined);
  const [one = "", two = ""] = lines;
  const changed = one.replace(/,1\]/, ",2]");
  assert.notEqual(changed, one);
  assert.equal(await second.firstBrokenUse([changed, ...lines.slice(1)]), 1);
  assert.equal(await second.firstBrokenUse(lines.slice(1)), 1);
  assert.equal(await second.firstBrokenUse([two, one]), 1);
  assert.equal(await second.firstBrokenUse([one, one]), 2);
  assert.equal(await second.firstBrokenUse(["x"]), 1);
  await second.close();
});

// Goal: however many keys are used in a second, the log can be gone on with: a start reads no more
// than so much of its end. Method: uses of 10,000 materials at once; a second log begins where the
// first ended, and the chain holds. Twin: all of them in one line would be longer than that.
test("many keys in one second make several lines", (t) => {
  const path = join(folderFor(t), "key-uses.log");
  const ring = createRing(systemRandom);
  const materials = 10_000;
  const use = (log: UseLog, number: number) => {
    const materialId = number.toString(16).padStart(64, "0");
    log.count(operations.decrypt, [blobIdentity({ ...identity, materialId })]);
  };
  for (const round of [0, 1]) {
    const { descriptor, lastLine, close } = openUseLog(path);
    const log = createUseLog({ descriptor, lastLine, ring, nowMs: () => round });
    for (let number = 0; number < materials; number += 1) use(log, number);
    log.flush();
    close();
  }
  const lines = readUseLog(path);
  const uses = lines.flatMap((line) => JSON.parse(line).uses as unknown[][]);
  assert.equal(uses.length, 2 * materials);
  const { accountId, keyId } = identity;
  assert.deepEqual(uses[17], ["decrypt", accountId, keyId, (17).toString(16).padStart(64, "0"), 1]);
  assert.ok(Math.max(...lines.map(({ length }) => length)) < 400_000);
  assert.ok(readFileSync(path).length / 2 > 1024 * 1024);
  assert.deepEqual(followLines(ring, { number: 0, mac: "" }, lines), {
    number: lines.length,
    mac: JSON.parse(lines.at(-1) ?? "").mac,
  });
});

// Goal: a line holds what was used since the one before it, however often its kind came before.
// Method: one material in two lines, another in the second alone.
test("what was counted in one line is not counted in the next", (t) => {
  const path = join(folderFor(t), "key-uses.log");
  const { descriptor, lastLine, close } = openUseLog(path);
  const ring = createRing(systemRandom);
  const log = createUseLog({ descriptor, lastLine, ring, nowMs: () => 0 });
  const use = (operation: number, materialId: string) =>
    log.count(operation, [blobIdentity({ ...identity, materialId })]);
  const [one, two] = ["1".repeat(64), "2".repeat(64)];
  for (let count = 0; count < 3; count += 1) use(operations.decrypt, one);
  log.flush();
  log.flush();
  use(operations.encrypt, two);
  use(operations.decrypt, one);
  use(operations.decrypt, two);
  use(operations.decrypt, two);
  log.flush();
  close();
  const { accountId, keyId } = identity;
  assert.deepEqual(
    readUseLog(path).map((line) => JSON.parse(line).uses),
    [
      [["decrypt", accountId, keyId, one, 3]],
      [
        ["encrypt", accountId, keyId, two, 1],
        ["decrypt", accountId, keyId, one, 1],
        ["decrypt", accountId, keyId, two, 2],
      ],
    ],
  );
});
