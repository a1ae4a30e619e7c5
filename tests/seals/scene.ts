import { deepEqual } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { processIo } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/main.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

/** A folder of its own, gone after the test. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-seals-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Scene {
  readonly keyId: string;
  readonly blob: Uint8Array;
  readonly queueUrl: string;
}

const plaintext = Buffer.from("patient record of Ada Lovelace");

/** Something of each kind that the ring guards: a key's ciphertext and a sealed message. */
export async function fill(server: TestServer): Promise<Scene> {
  const { kms, sqs } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { CiphertextBlob = new Uint8Array() } = await kms.encrypt({ KeyId, Plaintext: plaintext });
  const Attributes = { KmsMasterKeyId: KeyId };
  const { QueueUrl } = await sqs.createQueue({ QueueName: "sealed", Attributes });
  await sqs.sendMessage({ QueueUrl, MessageBody: "a body that must open" });
  return { keyId: KeyId, blob: CiphertextBlob, queueUrl: QueueUrl ?? "" };
}

/** All of it opens. The message stays. */
export async function opensAll(server: TestServer, scene: Scene): Promise<void> {
  const { kms, sqs } = server.rootClients;
  const { Plaintext } = await kms.decrypt({ CiphertextBlob: scene.blob });
  deepEqual(Buffer.from(Plaintext ?? []), plaintext);
  const { Messages } = await sqs.receiveMessage({ QueueUrl: scene.queueUrl, VisibilityTimeout: 0 });
  deepEqual(
    Messages?.map(({ Body }) => Body),
    ["a body that must open"],
  );
}

export type Environment = Readonly<Record<string, string>>;

/** A server on the folder with these flags and secrets. */
export function serve(
  dataFolder: string,
  flags: Readonly<Record<string, unknown>> = {},
  environment: Environment = {},
): Promise<TestServer> {
  return startTestServer({ dataFolder, flags, environment });
}

/** Runs a `seal` verb as the command line does; answers its exit code and what it printed. */
export async function sealVerb(
  words: readonly string[],
  dataFolder: string,
  environment: Environment = {},
): Promise<{ code: number; text: string }> {
  let text = "";
  const say = (part: string) => {
    text += part;
  };
  const io = { ...processIo(), environment, out: say, err: say };
  const notUsed = () => Promise.reject(new Error("not used"));
  const parts = { version: "0", loadStart: notUsed, demo: notUsed };
  const code = await runCli(["seal", ...words, "--data", dataFolder], io, parts);
  return { code, text };
}
