// Goal: on a full disk the server refuses writes retryably, goes on reading, damages nothing, and
// works again as soon as there is space. Method: a real server on a small file system (where we may
// mount one), filled by its own clients; a ballast file gives the space back. The twin: the same
// messages on a disk with space are all taken.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { withDatabase } from "../encryption/database.ts";
import type { TestClients } from "../harness/server.ts";
import { newDataFolder, removeFolder, startChild } from "./child.ts";

const folder = newDataFolder();
const mounted =
  process.getuid?.() === 0 &&
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]).status === 0;
const skip = mounted ? false : "no right to mount a small file system";
after(() => {
  if (mounted) spawnSync("umount", [folder]);
  removeFolder(folder);
});

const messagesMax = 400;
const bodyOf = (n: number) => `${n} `.padEnd(200_000, String(n % 10));

interface Filled {
  readonly taken: number;
  readonly refusal: string | undefined;
}

/** Sends 200 KB each until one is refused. */
async function fill({ sqs }: TestClients, QueueUrl: string, from = 0): Promise<Filled> {
  for (let n = from; n < messagesMax; n++) {
    try {
      await sqs.sendMessage({ QueueUrl, MessageBody: bodyOf(n) });
    } catch (error) {
      const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      return { taken: n, refusal: `${name} ${$metadata?.httpStatusCode}` };
    }
  }
  return { taken: messagesMax, refusal: undefined };
}

async function queueOf({ kms, sqs }: TestClients): Promise<{ url: string; keyId: string }> {
  const { KeyMetadata } = await kms.createKey({});
  const keyId = KeyMetadata?.KeyId ?? "";
  const Attributes = { KmsMasterKeyId: keyId, VisibilityTimeout: "600" };
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "full", Attributes });
  return { url: QueueUrl, keyId };
}

async function receiveAll({ sqs }: TestClients, QueueUrl: string): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 5 });
    if (Messages.length === 0) return all;
    for (const { Body = "" } of Messages) all.push(Body);
  }
}

test("a full disk: writes refused, reads served, nothing lost, and on it goes", {
  skip,
}, async () => {
  const data = join(folder, "data");
  const ballast = join(folder, "ballast");
  mkdirSync(data);
  // More than the log may hold: what is freed must let it be written back.
  writeFileSync(ballast, Buffer.alloc(24_000_000));
  const server = await startChild(data, ["--log-level", "error"]);
  try {
    const { clients } = server;
    const { url, keyId } = await queueOf(clients);
    const full = await fill(clients, url);
    assert.equal(full.refusal, "ServiceUnavailable 503");
    assert.ok(full.taken > 10, `${full.taken} were taken`);
    assert.equal((await fill(clients, url, full.taken)).refusal, "ServiceUnavailable 503");

    const { sqs, kms, sts } = clients;
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl: url, AttributeNames: ["All"] });
    assert.equal(Attributes?.ApproximateNumberOfMessages, String(full.taken));
    assert.equal((await sqs.listQueues({})).QueueUrls?.length, 1);
    assert.equal((await kms.describeKey({ KeyId: keyId })).KeyMetadata?.Enabled, true);
    await sts.getCallerIdentity({});

    rmSync(ballast);
    const MessageBody = bodyOf(full.taken);
    await sqs.sendMessage({ QueueUrl: url, MessageBody });
    const all = await receiveAll(clients, url);
    assert.equal(all.length, full.taken + 1);
    for (const [n, body] of all.entries()) assert.equal(body === bodyOf(n), true, `message ${n}`);
    assert.equal(await server.stop(), 0);
  } finally {
    await server.kill();
  }
  withDatabase(data, (database) => {
    assert.equal(database.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
    assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
  });
});

test("the twin: with space enough as many messages are taken", { skip }, async () => {
  const data = newDataFolder();
  const server = await startChild(data, ["--log-level", "error"]);
  try {
    const { url } = await queueOf(server.clients);
    assert.deepEqual(await fill(server.clients, url, messagesMax - 200), {
      taken: messagesMax,
      refusal: undefined,
    });
  } finally {
    await server.kill();
    removeFolder(data);
  }
});
