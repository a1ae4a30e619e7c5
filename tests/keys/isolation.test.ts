import { equal, ok } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { KMS } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { readServerFile } from "../../src/gateway/server-file.ts";
import { importedKey } from "../harness/import-key.ts";
import { folderFor } from "./helpers.ts";

// Goal: key material is in the key process's memory and never in the server's. Method: a server in a
// process of its own; import known material and use it; search the whole writable memory of both
// (/proc/PID/mem: a heap snapshot would show no Buffers). The twin is the key process, where it is.

const readable = existsSync("/proc/self/mem") && existsSync("/proc/self/task");

test("material is in the key process's memory alone", {
  skip: readable ? false : "needs /proc",
}, async (t) => {
  const folder = folderFor(t);
  const server = await startServer(folder, t);
  const kms = clientFor(folder, t);
  const material = randomBytes(32);
  const KeyId = await importedKey(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", material);
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: Buffer.from("x") });
  await kms.decrypt({ CiphertextBlob });
  const pid = server.pid ?? 0;
  const [keyProcess] = childrenOf(pid);
  ok(keyProcess, "the key process is a direct child");
  equal(holds(keyProcess, material), true, "the twin: the search finds it where it is");
  equal(holds(pid, material), false, "the server never had it");
});

async function startServer(folder: string, t: TestContext): Promise<ChildProcess> {
  const cli = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));
  const args = [cli, "serve", "--data", folder, "--port", "0", "--log-level", "error"];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
  });
  for await (const chunk of server.stdout) {
    if (String(chunk).includes("is ready")) break;
  }
  return server;
}

function clientFor(folder: string, t: TestContext): KMS {
  const server = readServerFile(folder);
  const credentials = readCredentialsFile(folder);
  ok(server && credentials);
  const httpsAgent = new Agent({ ca: readFileSync(join(folder, "ca.pem")) });
  t.after(() => httpsAgent.destroy());
  return new KMS({
    ...{ endpoint: server.httpsUrl, region: "us-east-1", credentials },
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

const chunkBytes = 4 * 1024 * 1024;

/** Whether these bytes are anywhere in the writable memory of a process. */
function holds(pid: number, needle: Buffer): boolean {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    return readFileSync(`/proc/${pid}/maps`, "utf8")
      .split("\n")
      .filter((line) => /^\S+ rw/.test(line) && !/\[v(var|syscall)/.test(line))
      .some((line) => {
        const [start = "", end = ""] = (line.split(" ")[0] ?? "").split("-");
        return regionHolds(memory, Number.parseInt(start, 16), Number.parseInt(end, 16), needle);
      });
  } finally {
    closeSync(memory);
  }
}

function regionHolds(memory: number, start: number, end: number, needle: Buffer): boolean {
  const overlap = needle.length - 1;
  for (let at = start; at < end; at += chunkBytes - overlap) {
    const bytes = Buffer.alloc(Math.min(chunkBytes, end - at));
    try {
      const length = readSync(memory, bytes, 0, bytes.length, at);
      if (bytes.subarray(0, length).includes(needle)) return true;
    } catch {
      // A page that was given back meanwhile.
    }
  }
  return false;
}
