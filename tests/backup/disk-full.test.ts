// Goal: a full disk stops a backup or a restore with a clear text and leaves nothing half; the server
// goes on. Method: small file systems of our own, where we may mount. The twin: with room the same
// commands succeed.
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { done, sealpost, start, withKey } from "./scene.ts";

/** A file system of so many MiB, or undefined where we may not mount. */
function smallDisk(t: TestContext, mebibytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-small-"));
  const options = ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder];
  if (process.getuid?.() !== 0 || spawnSync("mount", options).status !== 0) return undefined;
  t.after(() => {
    spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const bodies = Array.from({ length: 12 }, (_, n) => `${n} `.padEnd(250_000, "x"));

test("no room for the backup, for its snapshot, or for what is restored", async (t) => {
  const small = smallDisk(t, 2);
  const tight = smallDisk(t, 16);
  if (small === undefined || tight === undefined) return t.skip("no right to mount");
  const { place, key } = await withKey(t, "file");
  const server = await start(t);
  const { sqs } = server.rootClients;
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "q" });
  for (const MessageBody of bodies) await sqs.sendMessage({ QueueUrl, MessageBody });
  const backup = (file: string, data: string) =>
    sealpost(["backup", file, "--backup-key", key, "--data", data]);

  const full = await backup(join(small, "b"), server.dataFolder);
  equal(full.code, 1);
  match(full.err, /ENOSPC/);
  deepEqual(readdirSync(small), [], "nothing is left of it");
  await sqs.sendMessage({ QueueUrl, MessageBody: "goes on" });
  equal(existsSync(join(server.dataFolder, "backup-snapshot.db")), false);

  const cramped = await start(t, join(tight, "data"));
  const refused = await backup(join(place, "c"), cramped.dataFolder);
  equal(refused.code, 1);
  match(refused.err, /needs \d+ MiB beside the store while it runs, and \d+ MiB are free/);
  await cramped.rootClients.sqs.createQueue({ QueueName: "goes-on" });
  await cramped.halt();

  // The twin: with room it is made, and where there is room it is restored.
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  const restore = ["restore", file, "--backup-key", key, "--data"];
  const target = join(small, "restored");
  const noRoom = await sealpost([...restore, target]);
  equal(noRoom.code, 1);
  match(noRoom.err, /disk is full|ENOSPC/);
  deepEqual(
    readdirSync(target).filter((name) => /^restore|sealpost\.db/.test(name)),
    [],
  );
  await done([...restore, join(place, "restored")]);
});
