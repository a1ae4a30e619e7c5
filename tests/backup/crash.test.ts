// Goal: kill -9 of a backup or a restore at any moment leaves a folder that opens, as it was or as it
// was to be, and no file that could be taken for a backup. Method: kill real commands after
// growing times; then the states between the steps by hand, with the twin of each.
import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { settleRestore } from "../../src/gateway/folder-swap.ts";
import { testRuns } from "../harness/runs.ts";
import { done, folderFor, queueUrlOn, receiveAll, sealpost, start, withKey } from "./scene.ts";

const cli = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));
const rounds = testRuns(7);

/** Runs a command and kills it after a time, if it still runs; whether it was killed. */
async function killed(words: readonly string[], afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [cli, ...words], { stdio: "ignore" });
  const ended = once(child, "exit");
  await Promise.race([ended, sleep(afterMs)]);
  const running = child.exitCode === null;
  child.kill("SIGKILL");
  await ended;
  return running;
}

test("kill -9 of a backup: the folder is as before, the file is whole or not there", async (t) => {
  const { place, key } = await withKey(t, "file");
  const server = await start(t);
  const { QueueUrl = "" } = await server.rootClients.sqs.createQueue({ QueueName: "q" });
  await server.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "one" });
  await server.halt();
  const { dataFolder } = server;
  let cut = 0;
  for (let round = 0; round < rounds; round += 1) {
    const file = join(place, `b${round}`);
    const words = ["backup", file, "--backup-key", key, "--data", dataFolder];
    if (await killed(words, 200 + (round * 900) / rounds)) cut += 1;
    if (existsSync(file)) await done(["backup", "verify", file, "--backup-key", key]);
  }
  ok(cut > 0, "some backup was cut off");
  const again = await start(t, dataFolder);
  equal(existsSync(join(dataFolder, "backup-snapshot.db")), false);
  deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), ["one"]);
});

test("kill -9 of a restore: the old state or the new one", async (t) => {
  const { place, key } = await withKey(t, "file");
  const server = await start(t);
  const { sqs } = server.rootClients;
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "q" });
  await sqs.sendMessage({ QueueUrl, MessageBody: "then" });
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  await sqs.sendMessage({ QueueUrl, MessageBody: "since" });
  await server.halt();
  const pristine = join(place, "pristine");
  cpSync(server.dataFolder, pristine, { recursive: true });
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    const folder = join(place, `f${round}`);
    cpSync(pristine, folder, { recursive: true });
    const words = ["restore", file, "--backup-key", key, "--data", folder, "--replace"];
    await killed(words, 400 + (round * 2_200) / rounds);
    const again = await start(t, folder);
    seen.add((await receiveAll(again, queueUrlOn(again, QueueUrl))).join());
    await again.halt();
    deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("restore.")),
      [],
    );
  }
  deepEqual(
    [...seen].filter((state) => state !== "since,then" && state !== "then"),
    [],
  );
  ok(seen.has("since,then"), "some restore was cut off");
});

/**
 * A folder in the middle of a swap: `marked` says that the new contents count; else the mark was
 * being written.
 */
function halfWay(folder: string, marked: boolean): void {
  writeFileSync(join(folder, "sealpost.db"), "old");
  writeFileSync(join(folder, "sealpost.db-wal"), "old log");
  mkdirSync(join(folder, "tls"));
  writeFileSync(join(folder, "tls", "ca.json"), "old");
  writeFileSync(join(folder, "clock.json"), "old");
  mkdirSync(join(folder, "restore.new", "tls"), { recursive: true });
  writeFileSync(join(folder, "restore.new", "sealpost.db"), "new");
  writeFileSync(join(folder, "restore.new", "tls", "ca.json"), "new");
  const mark = { move: ["sealpost.db", "tls"], remove: ["clock.json"] };
  const name = marked ? "restore.json" : "restore.json.new";
  writeFileSync(join(folder, name), JSON.stringify(mark));
}

test("before the mark the old contents count, after it the new ones", (t) => {
  const [before, after] = [folderFor(t), folderFor(t)];
  halfWay(before, false);
  settleRestore(before);
  deepEqual(readdirSync(before).toSorted(), [
    "clock.json",
    "sealpost.db",
    "sealpost.db-wal",
    "tls",
  ]);
  halfWay(after, true);
  // Cut off again within the swap: one part has moved, another has not.
  rmSync(join(after, "clock.json"));
  settleRestore(after);
  deepEqual(readdirSync(after).toSorted(), ["sealpost.db", "tls"]);
  settleRestore(after);
  deepEqual(readdirSync(after).toSorted(), ["sealpost.db", "tls"]);
});

test("a folder that a server holds is not restored into", async (t) => {
  const { place, key } = await withKey(t, "file");
  const server = await start(t);
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  const words = ["restore", file, "--backup-key", key, "--data", server.dataFolder, "--replace"];
  const { code, err } = await sealpost(words);
  equal(code, 1);
  ok(/holds the data folder/.test(err), err);
  await server.rootClients.sqs.listQueues({});
});
