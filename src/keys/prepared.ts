import type { ChildProcess } from "node:child_process";
import { closeSync, fsyncSync } from "node:fs";
import { entryUrl } from "../kernel/entry-url.ts";
import { Fault } from "../kernel/errors.ts";
import { needsHelper, type SealSettings, sealReach } from "../seals/seal.ts";
import { type Owner, spawnKeyProcess } from "./spawn.ts";

/**
 * Key processes of another user than the server's, started while this process still could. They
 * wait with nothing in them: the first is opened at the start, the others when one is lost.
 */
export interface PreparedKeyProcesses {
  /** Throws Fault `key-process-unavailable` once all are used up. */
  take(): ChildProcess;
  /** Makes sure that a root key which was just made stays; this process cannot read it. */
  settle(): void;
  /** Settles when one was asked for and none is left: only a start with more rights makes more. */
  readonly exhausted: Promise<Fault>;
  /** Those that wait end. */
  close(): Promise<void>;
}

export interface PrepareOptions {
  readonly seal: SealSettings;
  readonly owner: Owner;
  /** Descriptor of the log of uses, which the processes get as an open file. */
  readonly useLog: number;
  /** Descriptor of the folder where the root key lies, open for reading; undefined: no file. */
  readonly rootKeyFolder: number | undefined;
  readonly count: number;
}

export function prepareKeyProcesses(options: PrepareOptions): PreparedKeyProcesses {
  const { seal, owner, useLog, rootKeyFolder, count } = options;
  const waiting: ChildProcess[] = [];
  const { promise: exhausted, resolve: exhaust } = Promise.withResolvers<Fault>();
  for (let number = 0; number < count; number += 1) {
    const child = spawnKeyProcess(entryUrl(import.meta.url, "./child"), sealReach(seal), {
      helperPipeCount: needsHelper(seal) ? 1 : 0,
      useLog,
      owner,
    });
    const forget = () => {
      const at = waiting.indexOf(child);
      if (at >= 0) waiting.splice(at, 1);
    };
    child.once("exit", forget);
    child.once("error", forget);
    waiting.push(child);
  }
  return {
    exhausted,
    take() {
      const child = waiting.shift();
      if (child !== undefined) return child;
      const fault = new Fault(
        "key-process-unavailable",
        "the key processes that were made for the other user are used up: start the server again",
      );
      exhaust(fault);
      throw fault;
    },
    settle() {
      // The bytes of the key are on disk already: it is written synchronously.
      if (rootKeyFolder !== undefined) fsyncSync(rootKeyFolder);
    },
    async close() {
      await Promise.all(waiting.splice(0).map(end));
      closeSync(useLog);
      if (rootKeyFolder !== undefined) closeSync(rootKeyFolder);
    },
  };
}

/** It ends when its pipe does; this process may not send it a signal. */
function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return Promise.resolve();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for (const pipe of child.stdio) pipe?.destroy();
  return ended;
}
