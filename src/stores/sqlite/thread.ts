import type { DatabaseSync } from "node:sqlite";
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import type { AccountVersion, Command, CommitAnswer } from "../../kernel/command.ts";
import { assert, Fault } from "../../kernel/errors.ts";
import { type VersionChange, versionWriter } from "../../kernel/version-log.ts";
import { Asker } from "./asker.ts";
import { copyDatabase } from "./copy.ts";
import { openDatabase } from "./database.ts";
import { faultOf } from "./failure.ts";
import { type Asked, createGroupCommit, type Told } from "./group.ts";
import { createGiveBackSpace, emptyLog, leavesRemains, sweeps } from "./space.ts";

/**
 * The store thread: opens the database, says so (or why not), then carries out what arrives. What
 * came in while a transaction was being written is the next one.
 */
export interface ThreadData {
  readonly path: string;
  /** Where changes of the configuration are told to all threads; absent: there is one asker. */
  readonly versions?: SharedArrayBuffer;
}

/** A buffer holds a group of answers. */
export type FromThread =
  | ArrayBuffer
  | { readonly kind: "open" }
  | { readonly kind: "key-dropped" }
  | { readonly kind: "refused"; readonly fault: string; readonly message: string }
  /** The copy is whole; `fault`: it is not there. */
  | { readonly kind: "copied"; readonly fault?: string; readonly message?: string };

/** What the thread seals with, see SealingThread. Keys are handed over: nobody keeps these bytes. */
export type ChangeKeys =
  | { readonly kind: "places-under"; readonly key: Uint8Array }
  | { readonly kind: "keep-key"; readonly dataKeyId: string; readonly key: Uint8Array }
  | { readonly kind: "drop-key"; readonly dataKeyId: string };

/** A buffer holds a group of questions. */
export type ToThread =
  | ArrayBuffer
  | ChangeKeys
  | { readonly kind: "copy"; readonly path: string }
  /** Another thread asks by this port. Its number names it among the askers; the first has 0. */
  | { readonly kind: "attach"; readonly port: MessagePort; readonly asker: number }
  /** Of the first asker: closes the store. Of another one: closes its port. */
  | { readonly kind: "close" };

/** Bounds how long the first of a group waits for the last, and the memory of its answers. */
const groupMax = 1024;

function serve(first: MessagePort, { path, versions }: ThreadData): void {
  const database = openDatabase(path);
  const carryOut = createGroupCommit(database);
  const giveBackSpace = createGiveBackSpace(database);
  const tellVersion = versions && versionWriter(versions);
  const askers: Asker[] = [];
  const leave = (asker: Asker) => void askers.splice(askers.indexOf(asker), 1);
  const attach = (asker: Asker) => {
    askers.push(asker);
    asker.port.on("message", (message: ToThread) => carryOutAll(asker, message));
    asker.port.on("close", () => leave(asker));
  };

  function carryOutAll(asker: Asker, message: ToThread): void {
    const waiting: Asked[] = [];
    const owners: Asker[] = [];
    const closing: Asker[] = [];
    const take = (from: Asker, taken: ToThread) => {
      if (taken instanceof ArrayBuffer) {
        const questions = from.questions(taken);
        waiting.push(...questions);
        for (let index = 0; index < questions.length; index += 1) owners.push(from);
      } else if (taken.kind === "close") closing.push(from);
      else if (taken.kind === "attach") attach(new Asker(taken.port, taken.asker));
      else if (taken.kind === "copy") copy(from.port, database, taken.path);
      else from.changeKeys(taken);
    };
    take(asker, message);
    for (const each of askers) {
      for (let next = nextOf(each.port); next; next = nextOf(each.port)) take(each, next);
    }
    for (let at = 0; at < waiting.length; at += groupMax) {
      const group = waiting.slice(at, at + groupMax);
      const answers = carryOut(group);
      // Destroyed means gone from the log too when the answer says so.
      if (hasCommit(group, leavesRemains)) tidy(() => emptyLog(database));
      tellOwners(group, answers, owners.slice(at, at + groupMax), tellVersion);
      if (hasCommit(group, sweeps)) tidy(giveBackSpace);
    }
    for (const each of askers) each.done();
    for (const each of closing) each.end();
    if (closing.some(({ port }) => port === first)) {
      database.close();
      for (const each of askers) each.end();
    }
  }

  attach(new Asker(first, 0));
  first.postMessage({ kind: "open" } satisfies FromThread);
}

function nextOf(port: MessagePort): ToThread | undefined {
  return receiveMessageOnPort(port)?.message as ToThread | undefined;
}

/** What each asked lies together, so each gets a message or two. */
function tellOwners(
  questions: readonly Asked[],
  answers: readonly Told[],
  owners: readonly Asker[],
  tellVersion: ((change: VersionChange) => void) | undefined,
): void {
  if (tellVersion) {
    answers.forEach((answer, index) => {
      for (const change of changesIn(answer)) {
        tellVersion({ ...change, asker: owners[index]?.number ?? 0 });
      }
    });
  }
  let from = 0;
  for (let at = 1; at <= answers.length; at += 1) {
    const owner = owners[from];
    if (owner === undefined || owners[at] === owner) continue;
    owner.tell(questions.slice(from, at), answers.slice(from, at));
    from = at;
  }
}

/** Accounts whose configuration a commit changed. */
function changesIn(answer: Told): readonly AccountVersion[] {
  if (answer.kind !== "value") return [];
  const { status, versions = [] } = Object(answer.value) as Partial<CommitAnswer>;
  return status === "done" ? versions : [];
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

assert(parentPort, "the store thread is started as a worker");
try {
  serve(parentPort, workerData as ThreadData);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  parentPort.postMessage({
    kind: "refused",
    fault: error.kind,
    message: error.message,
  } satisfies FromThread);
}
