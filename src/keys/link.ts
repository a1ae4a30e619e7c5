import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import { Fault } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { SealReach } from "../seals/stored.ts";
import {
  type Field,
  type Frame,
  FrameBatch,
  FrameReader,
  firstHelperDescriptor,
  statuses,
  textField,
} from "./protocol.ts";
import { type SpawnOptions, spawnKeyProcess } from "./spawn.ts";

/** One key process and the pipe to it. */
export interface Link {
  readonly pid: number;
  /** Ends of the pipes on which helpers hand over root keys. */
  readonly helperPipes: readonly Duplex[];
  /**
   * `read` runs while the answer's bytes are there and copies what must stay. Rejects with Fault
   * `key-process-unavailable` once the process is gone.
   */
  request<T>(
    operation: number,
    fields: readonly Field[],
    read: (fields: readonly Buffer[]) => T,
  ): Promise<T>;
  /** Fulfilled when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Closes the pipe, upon which the process ends by itself; after 2 s it is killed. */
  close(): Promise<void>;
}

interface Pending {
  read(fields: readonly Buffer[]): unknown;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const closeTimeoutMs = 2000;
const complaintCharsMax = 4096;

export function startLink(
  entry: URL,
  reach: SealReach,
  log: Log,
  options: SpawnOptions = {},
): Link {
  return linkTo(spawnKeyProcess(entry, reach, options), log);
}

/** The same to a process that runs already. */
export function linkTo(child: ChildProcess, log: Log): Link {
  const pipe = child.stdio[3] as Duplex;
  const pending = new Map<number, Pending>();
  const outgoing = new FrameBatch();
  let lastId = 0;
  let gone = false;

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const leave = (): void => {
    gone = true;
    for (const { reject } of pending.values()) reject(unavailable());
    pending.clear();
    outgoing.discard();
    pipe.destroy();
    end();
  };
  child.once("exit", leave);
  child.once("error", leave);
  pipe.on("error", () => child.kill("SIGKILL"));
  child.stderr?.on("data", (text: Buffer) => {
    log.error("key process", { text: text.toString("utf8", 0, complaintCharsMax) });
  });

  const reader = new FrameReader((frame) => {
    const asked = pending.get(frame.id);
    pending.delete(frame.id);
    if (asked !== undefined) settle(asked, frame);
  });
  pipe.on("data", (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch {
      child.kill("SIGKILL");
    }
  });

  // All that is asked until something comes from outside goes out in one write.
  const flush = (): void => {
    if (outgoing.isEmpty || gone) return;
    const batch = outgoing.take();
    pipe.write(batch, () => outgoing.reuse(batch));
  };

  return {
    pid: child.pid ?? 0,
    helperPipes: child.stdio.slice(firstHelperDescriptor) as Duplex[],
    ended,
    request(operation, fields, read) {
      if (gone) return Promise.reject(unavailable());
      const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof read>>();
      lastId = (lastId + 1) >>> 0;
      if (outgoing.isEmpty) process.nextTick(flush);
      outgoing.add(lastId, operation, fields);
      pending.set(lastId, { read, resolve, reject });
      return promise;
    },
    async close() {
      const timer = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
      pipe.end();
      await ended;
      clearTimeout(timer);
    },
  };
}

function settle({ read, resolve, reject }: Pending, { code, fields }: Frame): void {
  try {
    if (code === statuses.ok) resolve(read(fields));
    else if (code === statuses.fault) reject(new Fault(textField(fields, 0), textField(fields, 1)));
    else reject(new Error(`key process: ${textField(fields, 0)}`));
  } catch (error) {
    reject(error instanceof Error ? error : new Error(String(error)));
  }
}

export function unavailable(): Fault {
  return new Fault("key-process-unavailable", "the key process is not available; try again");
}
