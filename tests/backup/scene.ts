import { equal } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { processIo } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/main.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

export const passphrase = "correct horse battery staple";
export const environment = { SEALPOST_BACKUP_SEAL_PASSPHRASE: passphrase };

/** A folder of its own, gone after the test. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-backup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line as a person would; answers its exit code and what it printed. */
export async function sealpost(
  words: readonly string[],
  environmentOf: Readonly<Record<string, string>> = environment,
): Promise<Said> {
  const said = { out: "", err: "" };
  const io = {
    ...processIo(),
    environment: environmentOf,
    out(text: string) {
      said.out += text;
    },
    err(text: string) {
      said.err += text;
    },
    askSecret: () => Promise.resolve(undefined),
  };
  const notUsed = () => Promise.reject(new Error("not used"));
  const code = await runCli(words, io, { version: "0", loadStart: notUsed, demo: notUsed });
  return { code, ...said };
}

/** The same, and it must succeed. */
export async function done(
  words: readonly string[],
  environmentOf?: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, out, err } = await sealpost(words, environmentOf);
  equal(code, 0, `${words.join(" ")}\n${out}${err}`);
  return out;
}

/** A place for files, with a backup key in it. */
export async function withKey(
  t: TestContext,
  seal: "passphrase" | "file" = "passphrase",
): Promise<{ place: string; key: string }> {
  const place = folderFor(t);
  const key = join(place, "backup.key");
  await done(["backup", "key", key, "--seal", seal]);
  return { place, key };
}

export async function start(t: TestContext, dataFolder = folderFor(t)): Promise<TestServer> {
  const server = await startTestServer({ dataFolder });
  t.after(() => server.halt().catch(() => {}));
  return server;
}

/** A server on a restored folder: credentials are not in a backup, the operator has them. */
export async function startRestored(
  t: TestContext,
  dataFolder: string,
  credentials: TestServer["root"],
): Promise<TestServer> {
  if (!readCredentialsFile(dataFolder)) {
    const { writeCredentialsFile } = await import("../../src/cli/credentials-file.ts");
    writeCredentialsFile(dataFolder, credentials);
  }
  return start(t, dataFolder);
}

export async function receiveAll(server: TestServer, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await server.rootClients.sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 600,
    });
    if (Messages.length === 0) return bodies.toSorted();
    bodies.push(...Messages.map(({ Body = "" }) => Body));
  }
}

export function queueUrlOn(server: TestServer, queueUrl: string): string {
  return server.httpsUrl + new URL(queueUrl).pathname;
}
