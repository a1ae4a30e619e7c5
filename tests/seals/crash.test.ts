import { equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { testRuns } from "../harness/runs.ts";
import { type Environment, fill, folderFor, opensAll, sealVerb, serve } from "./scene.ts";

// Goal: a rotation or migration that is killed at any moment leaves a folder that opens. Method:
// kill -9 a real one after growing times, over many rounds, each on what the one before has left; then each
// of the two states by hand that a crash can leave between the steps.

const cli = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));
const rounds = testRuns(12);

test("kill -9 at growing times", async (t) => {
  const folder = folderFor(t);
  const server = await serve(folder);
  const scene = await fill(server);
  await server.stop();
  let killed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const verb = spawn(process.execPath, [cli, "seal", "rotate", "--data", folder], {
      stdio: "ignore",
    });
    const ended = once(verb, "exit");
    await Promise.race([ended, sleep(150 + (round * 700) / rounds)]);
    if (verb.exitCode === null) killed += 1;
    verb.kill("SIGKILL");
    await ended;
    // Its key process ends with the pipe; the store's lock goes with the process.
    const again = await serve(folder);
    await opensAll(again, scene);
    await again.stop();
    equal(existsSync(join(folder, "root.key.next")), false);
  }
  ok(killed > 0, "some rotation was cut off");
});

// Either seal may be the one: which, the stored ring says. The one that is not is refused.
test("kill -9 of a migration at growing times", async (t) => {
  const folder = folderFor(t);
  const server = await serve(folder);
  const scene = await fill(server);
  await server.stop();
  const root = { SEALPOST_ROOT_KEY: "0123456789abcdef".repeat(4) };
  const seals: Readonly<Record<"file" | "env", Environment>> = { file: {}, env: root };
  let present: keyof typeof seals = "file";
  const outcomes = { before: 0, after: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const next: keyof typeof seals = present === "file" ? "env" : "file";
    const words = ["seal", "migrate", "--to", next, "--data", folder];
    const environment = { ...process.env, ...root };
    const verb = spawn(process.execPath, [cli, ...words], { stdio: "ignore", env: environment });
    const ended = once(verb, "exit");
    // The first is killed before it has begun, the last one comes to its end.
    const delayMs = round === 0 ? 0 : 250 + (round * 700) / rounds;
    await (round === rounds - 1 ? ended : Promise.race([ended, sleep(delayMs)]));
    verb.kill("SIGKILL");
    await ended;
    const changed = await serve(folder, { seal: next }, seals[next]).catch(() => undefined);
    const again = changed ?? (await serve(folder, { seal: present }, seals[present]));
    await opensAll(again, scene);
    await again.stop();
    outcomes[changed ? "after" : "before"] += 1;
    if (changed) present = next;
  }
  ok(outcomes.before > 0 && outcomes.after > 0, JSON.stringify(outcomes));
});

test("cut off before the commit: the next start forgets the new key", async (t) => {
  const folder = folderFor(t);
  const server = await serve(folder);
  const scene = await fill(server);
  await server.stop();
  const kept = readFileSync(join(folder, "root.key"));
  const other = folderFor(t);
  await (await serve(other)).stop();
  copyFileSync(join(other, "root.key"), join(folder, "root.key.next"));
  const again = await serve(folder);
  await opensAll(again, scene);
  await again.stop();
  equal(existsSync(join(folder, "root.key.next")), false);
  ok(readFileSync(join(folder, "root.key")).equals(kept));
});

test("cut off after the commit: the next start puts the new key in its place", async (t) => {
  const folder = folderFor(t);
  const server = await serve(folder);
  const scene = await fill(server);
  await server.stop();
  const old = readFileSync(join(folder, "root.key"));
  const copy = folderFor(t);
  cpSync(folder, copy, { recursive: true });
  equal((await sealVerb(["rotate"], copy)).code, 0);
  const fresh = readFileSync(join(copy, "root.key"));
  copyFileSync(join(copy, "sealpost.db"), join(folder, "sealpost.db"));
  copyFileSync(join(copy, "root.key"), join(folder, "root.key.next"));
  ok(!fresh.equals(old));
  const again = await serve(folder);
  await opensAll(again, scene);
  await again.stop();
  ok(readFileSync(join(folder, "root.key")).equals(fresh));
});
