// Goal: whatever is done to a file of a trail, `verify-trail` names that file. Method: a trail with
// several hours of files; each one in turn is changed, cut, removed, moved, or joined by another,
// sealed and plain; then it is put back, and the check passes again.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { filesOf, verify } from "./scene.ts";

interface Report {
  readonly valid: boolean;
  readonly trails: readonly {
    readonly failures: readonly { readonly key: string; readonly reason: string }[];
    readonly notCovered: number;
    readonly logFiles: { readonly valid: number };
  }[];
}

async function check(server: TestServer) {
  const { code, out } = await verify(server, "--trail", "main", "--format", "json");
  const report = JSON.parse(out) as Report;
  assert.equal(code, report.valid ? 0 : 1);
  const failures = report.trails[0]?.failures ?? [];
  return { code, failures, keys: failures.map(({ key }) => key) };
}

/** Three hours, two files in each of two of them. */
async function trailWithFiles(flags: object): Promise<TestServer> {
  const server = await startTestServer({ flags: { ...flags } });
  const { cloudtrail, sns } = server.rootClients;
  await cloudtrail.createTrail({
    Name: "main",
    S3BucketName: "audit-bucket",
    EnableLogFileValidation: true,
  });
  await cloudtrail.startLogging({ Name: "main" });
  for (const [hour, count] of [2, 0, 2].entries()) {
    for (let index = 0; index < count; index += 1) {
      await sns.createTopic({ Name: `t-${hour}-${index}` });
      await server.advance(600);
    }
    await server.advance(3600 - 600 * count);
  }
  return server;
}

for (const plainTrails of [false, true]) {
  const form = plainTrails ? "plain" : "sealed";
  test(`every file of a ${form} trail: changed, cut, removed, moved`, async () => {
    const server = await trailWithFiles({ plainTrails });
    try {
      const files = filesOf(server, "main");
      assert.equal(files.filter((file) => file.includes("Digest")).length, 3);
      assert.ok(files.length >= 3 + 4);
      assert.deepEqual((await check(server)).failures, []);
      for (const file of files) await tamper(server, file);
    } finally {
      await server.stop();
    }
  });
}

async function tamper(server: TestServer, file: string): Promise<void> {
  const path = join(server.dataFolder, "trails", "main", file);
  const bytes = readFileSync(path);
  const expectNamed = async (what: string, ...others: string[]) => {
    const { code, keys } = await check(server);
    assert.deepEqual([code, [...keys].sort()], [1, [file, ...others].sort()], what);
  };
  for (const at of [0, 4, 12, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(path, changed);
    await expectNamed(`byte ${at} changed`);
  }
  writeFileSync(path, bytes.subarray(0, bytes.length - 1));
  await expectNamed("cut");
  writeFileSync(path, bytes);
  renameSync(path, `${path}.away`);
  const moved = `${file}.away`;
  await expectNamed("moved", moved);
  renameSync(`${path}.away`, join(server.dataFolder, "kept"));
  await expectNamed("removed");
  renameSync(join(server.dataFolder, "kept"), path);
  assert.deepEqual((await check(server)).failures, []);
}

test("inserted files are named: forged, copied, and beside the layout", async () => {
  const server = await trailWithFiles({ plainTrails: true });
  try {
    const root = join(server.dataFolder, "trails", "main");
    const [log = "", digest = ""] = [
      filesOf(server, "main").find((file) => file.includes("/CloudTrail/")),
      filesOf(server, "main").find((file) => file.includes("/CloudTrail-Digest/")),
    ];
    const inserted = [
      log.replace(/_\w{16}\.json/, "_AAAAAAAAAAAAAAAA.json"),
      digest.replace(/\d\d\dZ\.json/, "999Z.json"),
      "notes.txt",
      log.replaceAll("us-east-1", "eu-west-1"),
    ];
    for (const file of inserted) {
      const path = join(root, file);
      mkdirSync(dirname(path), { recursive: true });
      if (file.endsWith(".txt")) writeFileSync(path, "hello");
      else copyFileSync(join(root, file.includes("Digest") ? digest : log), path);
      const { failures } = await check(server);
      assert.deepEqual(
        failures.map(({ key }) => key),
        [file],
      );
      rmSync(path);
    }
    assert.deepEqual((await check(server)).failures, []);
  } finally {
    await server.stop();
  }
});

test("a forged record with a forged digest is named: the signature is not theirs to make", async () => {
  const server = await trailWithFiles({ plainTrails: true });
  try {
    const root = join(server.dataFolder, "trails", "main");
    const files = filesOf(server, "main");
    const log = files.find((file) => file.includes("/CloudTrail/")) ?? "";
    const digests = files.filter((file) => file.includes("Digest"));
    const text = gunzipSync(readFileSync(join(root, log))).toString();
    writeFileSync(join(root, log), gzipSync(text.replaceAll("t-0-0", "t-9-9")));
    assert.deepEqual((await check(server)).keys, [log]);
    const first = join(root, digests[0] ?? "");
    const original = readFileSync(first);
    const digest = JSON.parse(gunzipSync(original).toString());
    digest.logFiles = [];
    writeFileSync(first, gzipSync(JSON.stringify(digest)));
    const { failures } = await check(server);
    assert.deepEqual(
      failures.map(({ key, reason }) => [key, reason]),
      [[digests[0], "signature verification failed"]],
    );
  } finally {
    await server.stop();
  }
});

test("the newest digest removed with its log files is noticed; so is everything removed", async () => {
  const server = await trailWithFiles({});
  try {
    const root = join(server.dataFolder, "trails", "main");
    const files = filesOf(server, "main");
    const digests = files.filter((file) => file.includes("Digest"));
    const newest = digests.at(-1) ?? "";
    rmSync(join(root, newest));
    assert.deepEqual((await check(server)).keys, [newest]);
    rmSync(root, { recursive: true });
    const { keys } = await check(server);
    assert.ok(keys.includes(newest));
  } finally {
    await server.stop();
  }
});
