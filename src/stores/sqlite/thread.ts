import type { DatabaseSync } from "node:sqlite";
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import type { Command } from "../../kernel/command.ts";
import { assert, Fault } from "../../kernel/errors.ts";
import { copyDatabase } from "./copy.ts";
import { openDatabase } from "./database.ts";
import { faultOf } from "./failure.ts";
import { type Asked, createGroupCommit, type Told } from "./group.ts";
import { type Packed, pack, pieceOf, unpack } from "./packing.ts";
import { createGiveBackSpace, emptyLog, leavesRemains, sweeps } from "./space.ts";

/**
 * The store thread: opens the database, says so (or why not), then carries out what arrives. What
 * came in while a transaction was being written is the next one.
 */
export interface ThreadData {
  readonly path: string;
}

export type FromThread =
  | { readonly kind: "open" }
  | { readonly kind: "refused"; readonly fault: string; readonly message: string }
  | { readonly kind: "told"; readonly answers: Packed }
  /** The copy is whole; `fault`: it is not there. */
  | { readonly kind: "copied"; readonly fault?: string; readonly message?: string };

export type ToThread =
  | { readonly kind: "asked"; readonly group: Packed }
  | { readonly kind: "copy"; readonly path: string }
  | { readonly kind: "close" };

/** Bounds how long the first of a group waits for the last, and the memory of its answers. */
const groupMax = 1024;

function serve(port: MessagePort, path: string): void {
  const database = openDatabase(path);
  const carryOut = createGroupCommit(database);
  const giveBackSpace = createGiveBackSpace(database);
  port.on("message", (first: ToThread) => {
    let closing = false;
    const waiting: Asked[] = [];
    let message: ToThread | undefined = first;
    while (message !== undefined) {
      if (message.kind === "close") closing = true;
      else if (message.kind === "copy") copy(port, database, message.path);
      else waiting.push(...(unpack(message.group) as Asked[]));
      message = receiveMessageOnPort(port)?.message as ToThread | undefined;
    }
    for (let at = 0; at < waiting.length; at += groupMax) {
      const group = waiting.slice(at, at + groupMax);
      const answers = carryOut(group);
      // Destroyed means gone from the log too when the answer says so.
      if (hasCommit(group, leavesRemains)) tidy(() => emptyLog(database));
      tell(port, answers);
      if (hasCommit(group, sweeps)) tidy(giveBackSpace);
    }
    if (!closing) return;
    database.close();
    port.close();
  });
  port.postMessage({ kind: "open" } satisfies FromThread);
}

/** Goes on beside the groups; SQLite carries what they change over to the copy. */
function copy(port: MessagePort, database: DatabaseSync, path: string): void {
  const say = (said: object) => port.postMessage({ kind: "copied", ...said } satisfies FromThread);
  copyDatabase(database, path).then(
    () => say({}),
    (error: unknown) => {
      const fault = faultOf(error);
      const kind = fault instanceof Fault ? fault.kind : "store-copy";
      say({ fault: kind, message: error instanceof Error ? error.message : String(error) });
    },
  );
}

function hasCommit(
  group: readonly Asked[],
  matches: (commands: readonly Command[]) => boolean,
): boolean {
  return group.some((asked) => asked.kind === "commit" && matches(asked.request.commands));
}

/** Nobody waits for this; a disk that is full or failing shows itself at the next commit. */
function tidy(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(faultOf(error) instanceof Fault)) throw error;
  }
}

function tell(port: MessagePort, answers: readonly Told[]): void {
  const packed = pack(answers.map(pieceOf));
  port.postMessage({ kind: "told", answers: packed } satisfies FromThread, [packed.bytes.buffer]);
}

assert(parentPort, "the store thread is started as a worker");
try {
  serve(parentPort, (workerData as ThreadData).path);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  parentPort.postMessage({
    kind: "refused",
    fault: error.kind,
    message: error.message,
  } satisfies FromThread);
}
