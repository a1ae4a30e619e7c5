import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { entryUrl } from "../../src/kernel/entry-url.ts";
import { Fault } from "../../src/kernel/errors.ts";
import { startKeyProcess } from "../../src/keys/client.ts";
import { operations } from "../../src/keys/protocol.ts";
import { spawnKeyProcess } from "../../src/keys/spawn.ts";
import { sealReach } from "../../src/seals/seal.ts";
import { context, folderFor, frameOf, identity, keyProcessFor, recordingLog } from "./helpers.ts";

const fault =
  (kind: string, text = /./) =>
  (error: unknown) =>
    error instanceof Fault && error.kind === kind && text.test(error.message);

// Goal: the vault does what its port says. Method: every method through a real process.
test("encrypt, decrypt, data keys", async (t) => {
  const keys = await keyProcessFor(t);
  const material = await keys.createMaterial(identity);
  const request = { ...identity, material, context };
  const plaintext = Buffer.from("record");
  const blob = await keys.encrypt({ ...request, plaintext });
  assert.deepEqual(keys.identify(blob), { ...identity, materialId: material.materialId });
  assert.equal(keys.identify(Buffer.from("foreign")), undefined);
  assert.deepEqual(await keys.decrypt({ ...request, blob }), plaintext);
  assert.equal(await keys.decrypt({ ...request, blob, context: {} }), undefined);
  const dataKey = await keys.generateDataKey({ ...request, lengthBytes: 64 });
  assert.equal(dataKey.plaintext.length, 64);
  assert.deepEqual(await keys.decrypt({ ...request, blob: dataKey.blob }), dataKey.plaintext);
  // Kept with the data key: nothing else is kept with it, as with what is used at once.
  assert.equal(dataKey.blob.buffer.byteLength, dataKey.blob.length);
  assert.notEqual(blob.buffer.byteLength, blob.length);
  await keys.forget(material.materialId);
  assert.deepEqual(await keys.decrypt({ ...request, blob }), plaintext);
  assert.deepEqual(
    await keys.encrypt({ ...request, plaintext: Buffer.alloc(0) }).then(keys.identify),
    {
      ...identity,
      materialId: material.materialId,
    },
  );
});

// Goal: material is used only as what it was wrapped for. Method: another account, another key, a
// flipped bit, cached or not; bugs of the caller are errors, not faults.
test("material of another key is refused", async (t) => {
  const keys = await keyProcessFor(t);
  const material = await keys.createMaterial(identity);
  const request = { ...identity, material, context, plaintext: Buffer.from("record") };
  const wrapped = Buffer.from(material.wrapped);
  wrapped[30] = (wrapped[30] ?? 0) ^ 1;
  for (const forgotten of [false, true]) {
    if (forgotten) await keys.forget(material.materialId);
    const other = { ...request, accountId: "123456789013" };
    await assert.rejects(keys.encrypt(other), fault("key-material-damaged"));
  }
  const damaged = { ...request, material: { ...material, wrapped } };
  await assert.rejects(keys.encrypt(damaged), fault("key-material-damaged"));
  assert.ok(await keys.encrypt(request));
  await assert.rejects(keys.createMaterial({ ...identity, keyId: "alias/x" }), /assertion failed/);
  await assert.rejects(keys.generateDataKey({ ...request, lengthBytes: 0 }), /1 to 1024/);
});

// Goal: many requests at once are each answered with their own. Method: 500 in flight, odd and even
// kinds mixed.
test("concurrent requests", async (t) => {
  const keys = await keyProcessFor(t);
  const material = await keys.createMaterial(identity);
  const request = { ...identity, material, context };
  const texts = Array.from({ length: 500 }, (_, index) => Buffer.from(`body ${index}`));
  const opened = await Promise.all(
    texts.map(async (plaintext) => {
      const blob = await keys.encrypt({ ...request, plaintext });
      return keys.decrypt({ ...request, blob });
    }),
  );
  assert.deepEqual(opened, texts);
});

// Goal: the same root key and ring open the same data folder, and nothing else does. Method: start
// again with them; with another root key; with a changed ring; with the root key gone.
test("starting again", async (t) => {
  const folder = folderFor(t);
  const path = join(folder, "root.key");
  const { log } = recordingLog();
  const start = (ring?: Uint8Array, file = path, mayCreate = true) =>
    startKeyProcess({
      seal: { settings: { kind: "file", path: file, mayCreate } },
      storedSeal: ring && { kind: "file" },
      ring,
      log,
    });

  const first = await start();
  const material = await first.createMaterial(identity);
  const request = { ...identity, material, context };
  const blob = await first.encrypt({ ...request, plaintext: Buffer.from("record") });
  await first.close();

  const second = await start(first.ring);
  assert.deepEqual(second.ring, Buffer.from(first.ring));
  assert.deepEqual(second.ringKeys, first.ringKeys);
  assert.equal(second.rootKeyFingerprint, first.rootKeyFingerprint);
  for (const name of ["rowsKey", "secretsKey", "placesKey", "tokensKey"] as const) {
    assert.equal(second[name].length, 32);
    assert.deepEqual(second[name], first[name]);
  }
  assert.equal(new Set(second.ringKeys.map(({ key }) => key.toString("hex"))).size, 4);
  assert.ok(second.ringKeys.every(({ purpose }) => purpose !== "material"));
  assert.deepEqual(await second.decrypt({ ...request, blob }), Buffer.from("record"));
  await second.close();

  const otherPath = join(folder, "other.key");
  await (await start(undefined, otherPath)).close();
  const wrong = fault(
    "root-key-wrong",
    /root key file .*other\.key does not open this data folder/,
  );
  await assert.rejects(start(first.ring, otherPath), wrong);
  const changed = Buffer.from(first.ring);
  changed[50] = (changed[50] ?? 0) ^ 1;
  await assert.rejects(start(changed), fault("key-ring-damaged"));
  fs.chmodSync(path, 0o644);
  await assert.rejects(start(first.ring), fault("root-key-exposed", /chmod 600/));
  fs.rmSync(path);
  await assert.rejects(start(first.ring), fault("root-key-missing"));
  assert.ok(!fs.existsSync(path));
});

// Goal: the server outlives its key process. Method: stop the process so that a request is surely
// pending, kill it, ask again. The twin is the pending request itself, which fails.
test("kill -9 of the key process", async (t) => {
  const { log, said } = recordingLog();
  const keys = await keyProcessFor(t, { log });
  const material = await keys.createMaterial(identity);
  const request = { ...identity, material, context, plaintext: Buffer.from("record") };
  const blob = await keys.encrypt(request);
  for (let round = 0; round < 2; round += 1) {
    const { pid } = keys;
    const runsAgain = said("runs again");
    process.kill(pid, "SIGSTOP");
    const pending = keys.decrypt({ ...request, blob });
    process.kill(pid, "SIGKILL");
    await assert.rejects(pending, fault("key-process-unavailable"));
    await runsAgain;
    assert.notEqual(keys.pid, pid);
    assert.deepEqual(await keys.decrypt({ ...request, blob }), request.plaintext);
  }
  await keys.close();
  await assert.rejects(keys.encrypt(request), fault("key-process-unavailable"));
});

// Goal: an entry that cannot run stops the start instead of being tried for ever.
test("a start that fails is an error", async (t) => {
  const { log, lines } = recordingLog();
  const entry = new URL("./fixtures/keys/absent.js", import.meta.url);
  await assert.rejects(keyProcessFor(t, { entry, log }), fault("key-process-unavailable"));
  assert.match(lines.join(), /absent\.js/);
});

// Goal: the process ends with its server, and only with it. Method: open it by hand, send the
// signals that a terminal and a service manager send to the whole group, ask again, close the pipe.
// Twin: a signal that cannot be ignored does end it.
test("lives as long as the pipe", async (t) => {
  const seal = { kind: "file", path: join(folderFor(t), "root.key"), mayCreate: true } as const;
  for (const ending of ["pipe", "SIGKILL"] as const) {
    const child = spawnKeyProcess(
      entryUrl(import.meta.url, "../../src/keys/child"),
      sealReach(seal),
    );
    const exited = once(child, "exit");
    const pipe = child.stdio[3] as Duplex;
    pipe.on("error", () => {});
    pipe.write(frameOf(1, operations.open, [JSON.stringify(seal), "", "", "", "none"]));
    await once(pipe, "data");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) child.kill(signal);
    pipe.write(frameOf(2, operations.forget, ["x"]));
    await once(pipe, "data");
    if (ending === "pipe") pipe.destroy();
    else child.kill(ending);
    assert.deepEqual(await exited, ending === "pipe" ? [0, null] : [null, "SIGKILL"]);
  }
});

// Goal: the process can reach its code and what its seal needs, nothing else. Method: a stand-in
// reports what it could do; the file it may read is the twin.
test("rights of the key process", async (t) => {
  const entry = new URL("./fixtures/keys/probe.js", import.meta.url);
  const allowed = fileURLToPath(new URL("./fixtures/allowed.txt", import.meta.url));
  const child = spawnKeyProcess(entry, { read: [allowed], write: [] });
  const pipe = child.stdio[3] as Duplex;
  t.after(() => pipe.destroy());
  const [report] = await once(pipe, "data");
  assert.deepEqual(JSON.parse(String(report)), {
    allowed: "done",
    forbidden: "ERR_ACCESS_DENIED",
    writing: "ERR_ACCESS_DENIED",
    environment: ["MALLOC_ARENA_MAX"],
  });
});

// Goal: no core dump can hold the keys. Method: the limit of the running process, where the system
// shows it.
test("core dumps are off", {
  skip: fs.existsSync("/proc/self/limits") ? false : "needs /proc",
}, async (t) => {
  const keys = await keyProcessFor(t);
  const limits = fs.readFileSync(`/proc/${keys.pid}/limits`, "utf8");
  assert.match(limits, /Max core file size +0 +0 /);
});

// Goal: nothing secret is ever logged or told in an error. Method: keep every line and error of a
// run with a restart and failures; search it for the plaintext and the keys in three forms.
test("logs and errors hold no secret", async (t) => {
  const { log, lines, said } = recordingLog();
  const keys = await keyProcessFor(t, { log });
  const material = await keys.createMaterial(identity);
  const plaintext = Buffer.from("patient record of Ada Lovelace");
  const request = { ...identity, material, context, plaintext };
  await keys.encrypt(request);
  const note = (error: Error): void => {
    lines.push(`${error.stack} ${JSON.stringify(error)}`);
  };
  await keys.encrypt({ ...request, accountId: "123456789013" }).catch(note);
  await keys.encrypt({ ...request, plaintext: Buffer.alloc(5000, plaintext) }).catch(note);
  const runsAgain = said("runs again");
  process.kill(keys.pid, "SIGKILL");
  await keys.encrypt(request).catch(note);
  await runsAgain;
  const text = lines.join("\n");
  // Twin: the search is over something, for the account stands in it.
  assert.match(text, /key-material-damaged|stored key material/);
  for (const secret of [plaintext, ...keys.ringKeys.map(({ key }) => key)]) {
    for (const form of ["utf8", "hex", "base64"] as const) {
      assert.ok(!text.includes(secret.toString(form)), form);
    }
  }
});
