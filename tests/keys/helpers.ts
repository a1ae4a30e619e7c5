import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Log } from "../../src/kernel/log.ts";
import { type KeyProcess, type KeyProcessOptions, startKeyProcess } from "../../src/keys/client.ts";
import { type Field, FrameBatch } from "../../src/keys/protocol.ts";

export const identity = {
  accountId: "123456789012",
  keyId: "0b7c2f3e-1111-4222-8333-abcdefabcdef",
};
export const context = { "aws:sqs:arn": "arn:aws:sqs:us-east-1:123456789012:Billing-Integration" };

/** A folder of its own, gone after the test. */
export function folderFor(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-keys-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A log that keeps what was said, and lets a test wait for a message. */
export function recordingLog(): { log: Log; lines: string[]; said(part: string): Promise<void> } {
  const lines: string[] = [];
  const waiting: { part: string; resolve: () => void }[] = [];
  const note = (message: string, facts: object = {}): void => {
    lines.push(`${message} ${JSON.stringify(facts)}`);
    for (const { part, resolve } of waiting) if (message.includes(part)) resolve();
  };
  return {
    log: { debug: note, info: note, warn: note, error: note },
    lines,
    said: (part) => new Promise((resolve) => waiting.push({ part, resolve })),
  };
}

/** A key process on a new root key in a folder of its own; closed after the test. */
export async function keyProcessFor(
  test: TestContext,
  options: Partial<KeyProcessOptions> = {},
): Promise<KeyProcess> {
  const path = join(folderFor(test), "root.key");
  const started = await startKeyProcess({
    seal: { settings: { kind: "file", path, mayCreate: true } },
    storedSeal: undefined,
    ring: undefined,
    log: recordingLog().log,
    ...options,
  });
  test.after(() => started.close());
  return started;
}

/** One frame in a buffer of its own. */
export function frameOf(id: number, code: number, fields: readonly Field[]): Buffer {
  const batch = new FrameBatch();
  batch.add(id, code, fields);
  return batch.take();
}
