/**
 * Entry of the key process: the only place where the root key and key material are in the clear.
 * It speaks on one inherited pipe, keeps no files open and ends when the pipe does.
 */
import { flushCompileCache } from "node:module";
import { Socket } from "node:net";
import { stockedRandom, systemRandom } from "../crypto/random.ts";
import { Fault } from "../kernel/errors.ts";
import { decodeHelperAnswer, type HelperAnswer } from "../seals/helper-seal.ts";
import { openSeal, type Seal, type SealSettings, type StoredSeal } from "../seals/seal.ts";
import { backupKey, type OpenBackup, openBackup } from "./backup-operations.ts";
import { type Engine, type OpenedEngine, openEngine, reseal } from "./engine.ts";
import {
  type Field,
  type Frame,
  FrameBatch,
  FrameReader,
  firstHelperDescriptor,
  joinFrames,
  operations,
  ownField,
  statuses,
  textField,
  useLogDescriptor,
} from "./protocol.ts";
import type { UseLog } from "./use-log.ts";

const pipeDescriptor = 3;
/** Some 35,000 symmetric keys, or 1,500 that sign; others are unwrapped when they are used. */
const materialBytesMax = 24 * 1024 * 1024;

const pipe = new Socket({ fd: pipeDescriptor, readable: true, writable: true });
let engine: Engine | undefined;
let backup: OpenBackup | undefined;
let uses: UseLog | undefined;
const nowMs = (): number => Math.round(performance.timeOrigin + performance.now());
const answers = new FrameBatch();

const reader = new FrameReader((frame) => {
  if (frame.code === operations.open) open(frame);
  else if (frame.code === operations.reseal) changeSeal(frame);
  else if (isBackupWork(frame.code)) late(frame.id, backupWork(frame));
  else answer(frame);
});

pipe.on("data", (chunk: Buffer) => {
  reader.push(chunk);
  flush();
});
// The server closed the pipe or is gone; either way nobody is left to serve.
pipe.on("end", leave);
pipe.on("error", leave);

// A terminal and a service manager signal the whole group; the server decides when this one ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.title = "sealpost-keys";

function leave(): void {
  uses?.flush();
  process.exit(0);
}

function answer({ id, code, fields }: Frame): void {
  try {
    if (engine === undefined)
      throw new Fault("key-process-unavailable", "the key ring is not open");
    const answered = engine.handle(code, fields);
    if (answered instanceof Promise) late(id, answered);
    else addAnswer(id, answered);
  } catch (error) {
    addFailure(id, error);
  }
}

function late(id: number, work: Promise<readonly Field[]>): void {
  work
    .then((fields) => addAnswer(id, fields))
    .catch((error: unknown) => addFailure(id, error))
    .finally(flush);
}

function isBackupWork(code: number): boolean {
  return code >= operations.backupKey && code <= operations.resealBackup;
}

/** Of a process that serves one backup and no data folder. */
async function backupWork({ code, fields }: Frame): Promise<readonly Field[]> {
  if (code === operations.backupKey || code === operations.openBackup) {
    const seal = sealOf(fields, 0, firstHelperDescriptor, optionalJson(fields, 2));
    if (code === operations.backupKey) return backupKey(seal);
    const [id, encapsulation, wrapped] = [3, 4, 5].map((index) => ownField(fields, index));
    if (!id || !encapsulation || !wrapped) throw new Error("a field is missing");
    backup = await openBackup(seal, id, encapsulation, wrapped, systemRandom);
    return backup.keys;
  }
  if (backup === undefined) throw new Error("no backup is open");
  if (code === operations.wrapBackup) return backup.wrapFor(fields.map((key) => Buffer.from(key)));
  const to = sealOf(fields, 0, firstHelperDescriptor + 1, undefined);
  return backup.reseal(ownField(fields, 2), to);
}

function addAnswer(id: number, fields: readonly Field[]): void {
  answers.add(id, statuses.ok, fields);
  wipe(fields);
}

function open({ id, fields }: Frame): void {
  const ring = ownField(fields, 3);
  const lastLine = textField(fields, 4);
  const seal = sealOf(fields, 0, firstHelperDescriptor, optionalJson(fields, 2));
  openEngine(seal, ring.length === 0 ? undefined : ring, stockedRandom(), materialBytesMax)
    .then((opened) => {
      engine = opened.engine;
      if (lastLine !== "none") {
        uses = engine.logUses({ descriptor: useLogDescriptor, lastLine, nowMs });
      }
      // The keys stay here as well: a backup seals the whole ring.
      answers.add(id, statuses.ok, openFields(opened));
    })
    .catch((error: unknown) => addFailure(id, error))
    .finally(() => {
      flush();
      // Now, since a process that is killed keeps nothing.
      flushCompileCache();
    });
}

function openFields(opened: OpenedEngine): Field[] {
  const { sealedRing, rootKeyFingerprint, storedSeal, usedIndex } = opened;
  const fields: Field[] = [
    sealedRing,
    rootKeyFingerprint,
    JSON.stringify(storedSeal),
    String(usedIndex),
  ];
  for (const { purpose, version, key } of opened.handedOut) {
    fields.push(purpose, String(version), key);
  }
  return fields;
}

function changeSeal({ id, fields }: Frame): void {
  const from = sealOf(fields, 0, firstHelperDescriptor, optionalJson(fields, 2));
  const to = sealOf(fields, 4, firstHelperDescriptor + 1, undefined);
  const work = reseal(from, to, ownField(fields, 3), systemRandom);
  late(
    id,
    work.then(({ sealedRing, rootKeyFingerprint, storedSeal, oldFingerprint }) => [
      sealedRing,
      ...[rootKeyFingerprint, JSON.stringify(storedSeal), oldFingerprint],
    ]),
  );
}

/** Settings and secret stand at `at`; the secret is wiped when the seal was opened. */
function sealOf(
  fields: readonly Buffer[],
  at: number,
  descriptor: number,
  stored: StoredSeal | undefined,
): Seal {
  const settings = JSON.parse(textField(fields, at)) as SealSettings;
  const secret = ownField(fields, at + 1);
  const seal = openSeal(settings, { secret, stored, helper: () => readHelper(descriptor) });
  return { name: seal.name, unwrapRoot: () => seal.unwrapRoot().finally(() => secret.fill(0)) };
}

function optionalJson(fields: readonly Buffer[], index: number): StoredSeal | undefined {
  const text = textField(fields, index);
  return text === "" ? undefined : JSON.parse(text);
}

/** All that a helper writes until it ends. */
function readHelper(descriptor: number): Promise<HelperAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HelperAnswer>();
  const source = new Socket({ fd: descriptor, readable: true, writable: false });
  const chunks: Buffer[] = [];
  source.on("data", (chunk: Buffer) => chunks.push(chunk));
  source.on("error", reject);
  source.on("end", () => resolve(decodeHelperAnswer(joinFrames(chunks))));
  return promise;
}

function addFailure(id: number, error: unknown): void {
  if (error instanceof Fault) answers.add(id, statuses.fault, [error.kind, error.message]);
  else answers.add(id, statuses.bug, [error instanceof Error ? error.message : "not an error"]);
}

/** One write for all that one turn of the event loop answered. */
function flush(): void {
  if (answers.isEmpty) return;
  const batch = answers.take();
  pipe.write(batch, () => answers.reuse(batch));
}

function wipe(fields: readonly Field[]): void {
  for (const bytes of fields) if (typeof bytes !== "string") bytes.fill(0);
}
