// Goal: with --key-user the root key and the memory of the key process are out of reach for the
// server's user, and nothing else changes. Method: a real start as root, with two users that nobody
// else is; /proc says who runs as whom, and programs of each user try to read what they must not.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { KMS } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { readServerFile } from "../../src/gateway/server-file.ts";

const cli = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));
const child = fileURLToPath(new URL("../../src/keys/child.ts", import.meta.url));
const serverUser = { uid: 61_234, gid: 61_234 };
const keyUser = { uid: 61_235, gid: 61_235 };
const users = ["--user", "61234:61234", "--key-user", "61235:61235"];

/** A program of one of the users; true: it could do it. */
function can(user: typeof serverUser, code: string): boolean {
  const { status } = spawnSync(process.execPath, ["-e", code], { ...user, cwd: "/" });
  return status === 0;
}

const reading = (path: string) => `require("fs").readFileSync(${JSON.stringify(path)})`;
const opening = (path: string) => `require("fs").openSync(${JSON.stringify(path)}, "r")`;

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return "only root can start processes of other users";
  if (!existsSync("/proc/self/status")) return "there is no /proc";
  const seen = can(serverUser, reading(cli)) && can(keyUser, reading(child));
  return !seen && "this clone lies where other users cannot read it";
}

function place(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-users-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o711);
  const [data, keys] = [join(folder, "data"), join(folder, "keys")];
  for (const [path, { uid, gid }] of [
    [data, serverUser],
    [keys, keyUser],
  ] as const) {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, uid, gid);
  }
  return { data, keys, rootKey: join(keys, "root.key") };
}

type Place = ReturnType<typeof place>;

async function serve(t: TestContext, { data, rootKey }: Place) {
  const words = ["serve", "--data", data, "--seal-file", rootKey, "--port", "0", ...users];
  const process_ = spawn(process.execPath, [cli, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => process_.kill("SIGKILL"));
  const said = { err: "" };
  process_.stderr.on("data", (text: Buffer) => {
    said.err += text;
  });
  const ended = once(process_, "exit") as Promise<[number]>;
  await Promise.race([once(process_.stdout, "data"), ended]);
  const server = readServerFile(data);
  ok(server, said.err);
  const httpsAgent = new Agent({ ca: readFileSync(join(data, "ca.pem")), keepAlive: false });
  const kms = new KMS({
    endpoint: server.httpsUrl,
    region: server.region,
    credentials: readCredentialsFile(data) ?? { accessKeyId: "", secretAccessKey: "" },
    requestHandler: new NodeHttpHandler({ httpsAgent }),
    // While a key process is replaced the answer is "try again"; three tries may be too quick.
    maxAttempts: 10,
  });
  t.after(() => httpsAgent.destroy());
  return { pid: server.pid, kms, said, ended, stop: () => process_.kill("SIGTERM") };
}

/** One line of /proc/PID/status. */
function statusOf(pid: number, name: string): string {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(text)?.[1] ?? "";
}

function keyProcessesOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.trim().split(" ").map(Number).filter(Boolean);
}

const four = ({ uid }: typeof serverUser) => Array(4).fill(String(uid)).join("\t");

test("the key process is another user's", { skip: whyNot() }, async (t) => {
  const it = place(t);
  const { pid, kms, said, ended } = await serve(t, it);
  await t.test("who is who", () => {
    equal(statusOf(pid, "Uid"), four(serverUser));
    equal(statusOf(pid, "Groups").trim(), "");
    equal(Number(`0x${statusOf(pid, "CapEff")}`), 0);
    const keyProcesses = keyProcessesOf(pid);
    equal(keyProcesses.length, 3);
    for (const one of keyProcesses) {
      equal(statusOf(one, "Uid"), four(keyUser));
      equal(statusOf(one, "PPid"), String(pid));
    }
  });
  await t.test("what the server's user cannot reach, and the other can", () => {
    equal(statSync(it.rootKey).mode & 0o777, 0o600);
    deepEqual(
      [serverUser, keyUser].map((user) => can(user, reading(it.rootKey))),
      [false, true],
    );
    const [first = 0] = keyProcessesOf(pid);
    equal(can(serverUser, opening(`/proc/${first}/mem`)), false);
    equal(can(serverUser, `process.kill(${first}, 0)`), false);
    equal(can(serverUser, reading(join(it.data, "credentials"))), true);
    equal(can(keyUser, reading(join(it.data, "credentials"))), false);
  });
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: Buffer.from("a secret") });
  const opens = async (client: KMS) =>
    Buffer.from((await client.decrypt({ CiphertextBlob })).Plaintext ?? []).toString();
  await t.test("a lost one is replaced by the next, until none is left", async () => {
    for (const left of [2, 1]) {
      const [first = 0] = keyProcessesOf(pid);
      process.kill(first, "SIGKILL");
      equal(await opens(kms), "a secret");
      equal(keyProcessesOf(pid).length, left);
    }
    const [last = 0] = keyProcessesOf(pid);
    process.kill(last, "SIGKILL");
    // The supervisor starts it again, as root.
    equal((await ended)[0], 1);
    match(said.err, /used up: start the server again/);
  });
  await t.test("another root key, by root, stays the key user's", async (t) => {
    const rotate = ["seal", "rotate", "--data", it.data, "--seal-file", it.rootKey];
    const environment = { SEALPOST_USER: "61234:61234", SEALPOST_KEY_USER: "61235:61235" };
    const options = { env: { ...process.env, ...environment }, encoding: "utf8" as const };
    const { status, stderr } = spawnSync(process.execPath, [cli, ...rotate], options);
    equal(status, 0, stderr);
    equal(statSync(it.rootKey).uid, keyUser.uid);
    const again = await serve(t, it);
    equal(await opens(again.kms), "a secret");
    again.stop();
    equal((await again.ended)[0], 0);
  });
});

test("what is not private, and who is not root, is told", { skip: whyNot() }, (t) => {
  const it = place(t);
  const words = ["serve", "--data", it.data, "--seal-file", it.rootKey, "--port", "0"];
  const start = (more: readonly string[], as: object = {}) =>
    spawnSync(process.execPath, [cli, ...words, ...more], { encoding: "utf8", ...as }).stderr;
  match(start(users, { ...serverUser, cwd: "/" }), /needs a start as root/);
  match(start(users.slice(0, 2)), /go together/);
  match(start(["--user", "61234:61234", "--key-user", "nobody-here"]), /no user nobody-here/);
  match(start(["--user", "61234:61234", "--key-user", "61234:61234"]), /two users/);
  match(start([...users, "--seal", "env"]), /goes with --seal file, or --seal passphrase/);
  chmodSync(it.keys, 0o750);
  match(start(users), /must belong to 61235:61235 alone \(mode 0700\): install -d/);
});
