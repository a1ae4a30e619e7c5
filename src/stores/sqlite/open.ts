import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { CommitAnswer, CommitRequest, Query, ResultOf, Store } from "../../kernel/command.ts";
import { entryUrl } from "../../kernel/entry-url.ts";
import { Fault } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { SealingThread } from "../../sealing/store.ts";
import { isFatal } from "./failure.ts";
import type { Asked, Told } from "./group.ts";
import { asked } from "./passing/asked.ts";
import { Incoming } from "./passing/incoming.ts";
import { Outgoing } from "./passing/outgoing.ts";
import { answered } from "./passing/told.ts";
import type { ChangeKeys, FromThread, ThreadData, ToThread } from "./thread.ts";
import { threadEnvironment } from "./thread-environment.ts";
import { GroupsUnderWay } from "./under-way.ts";

export interface SqliteStoreOptions {
  /** The database file (made if absent, its folder must exist), or `:memory:` for a store of this
   * process that ends with it. */
  readonly path: string;
  readonly log: Log;
  /** The store thread's program; default beside this module. */
  readonly entry?: URL;
  /** Where the store tells what changed of the configuration; absent: nobody else asks it. */
  readonly versions?: SharedArrayBuffer | undefined;
}

/** A store as one of several threads works with it. */
export interface ThreadStore extends Store {
  /** As of SqliteStore. */
  readonly failed: Promise<Fault>;
}

export interface SqliteStore extends Store {
  /** Seals what is asked by this store, not by one on a port. */
  readonly sealingThread: SealingThread;
  /**
   * Settles if the store can never answer again (its thread died, an fsync failed, the file is
   * damaged). From then on every call is rejected with this fault. The process should stop: what
   * was in flight is neither known to be done nor undone, and a start reads what is on disk.
   */
  readonly failed: Promise<Fault>;
  /**
   * Writes one consistent state of the whole store to a database file of its own, while the store
   * goes on. One at a time. Throws Fault `disk-full`, and `store-copy` for what else went wrong.
   */
  copyTo(path: string): Promise<void>;
  /**
   * A port for another thread to ask by, see `sqliteStoreOn`. `asker` (1 to 255) names that thread
   * in what `versions` tells. Close its store before this one.
   */
  portFor(asker: number): MessagePort;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Opens the embedded store. Throws Fault `store-busy` if another process holds the file,
 * `store-too-new`, `store-foreign`, `store-corrupt`, `store-unreachable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path, versions } = options;
  const workerData: ThreadData = { path, ...(versions && { versions }) };
  const entry = options.entry ?? entryUrl(import.meta.url, "./thread");
  const worker = new Worker(entry, { workerData, name: "store", env: threadEnvironment() });
  const client = new Client(worker, options.log, versions ? 1 : groupsMax);
  worker.on("error", (error) => client.breakDown("the store's thread failed", error));
  worker.on("exit", () => client.end("the store's thread ended"));
  await client.opened;
  return client;
}

/** The store that another thread has opened, by a port of its own. */
export function sqliteStoreOn(port: MessagePort, log: Log): ThreadStore {
  const client = new Client(port, log, 1);
  port.on("close", () => client.end("the way to the store ended"));
  return client;
}

/**
 * Three groups may be under way: the store thread writes one and finds the next when it is done,
 * while answers to a third wait until this thread gets to them. With fewer, the two threads wait
 * for each other in turn; with more, groups would be small, and a message between threads costs as
 * much as several requests inside one. Answers come in order.
 * Of several threads each has one: together they keep the store thread busy.
 */
const groupsMax = 3;

class Client implements SqliteStore {
  readonly opened: Promise<void>;
  readonly failed: Promise<Fault>;
  private readonly thread: Worker | MessagePort;
  private readonly log: Log;
  private readonly groupsMax: number;
  private readonly waiting: Waiting[] = [];
  private readonly outgoing = new Outgoing();
  private readonly incoming = new Incoming();
  private readonly underWay = new GroupsUnderWay();
  private flushing = false;
  private failure: Fault | undefined;
  private closing: Promise<void> | undefined;
  private copying: PromiseWithResolvers<void> | undefined;
  /** Who waits for data keys to be wiped, in the order in which they asked. */
  private readonly dropping: (() => void)[] = [];
  private readonly open = Promise.withResolvers<void>();
  private readonly fail = Promise.withResolvers<Fault>();
  private readonly exited = Promise.withResolvers<void>();

  constructor(thread: Worker | MessagePort, log: Log, groupsMax: number) {
    this.groupsMax = groupsMax;
    this.thread = thread;
    this.log = log;
    this.opened = this.open.promise;
    this.failed = this.fail.promise;
    thread.on("message", (message: FromThread) => this.receive(message));
  }

  get sealingThread(): SealingThread {
    return {
      placesUnder: (key) => this.handOver(key, (copy) => ({ kind: "places-under", key: copy })),
      keep: (dataKeyId, key) =>
        this.handOver(key, (copy) => ({ kind: "keep-key", dataKeyId, key: copy })),
      drop: (dataKeyId) => this.dropKey(dataKeyId),
    };
  }

  commit(request: CommitRequest): Promise<CommitAnswer> {
    return this.ask({ kind: "commit", request }) as Promise<CommitAnswer>;
  }

  query<Q extends Query>(query: Q): Promise<ResultOf<Q>> {
    return this.ask({ kind: "query", query }) as Promise<ResultOf<Q>>;
  }

  copyTo(path: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.closing !== undefined || this.copying !== undefined) {
      return Promise.reject(new Fault("store-copy", "the store is closed, or copied already"));
    }
    this.copying = Promise.withResolvers<void>();
    this.send({ kind: "copy", path });
    return this.copying.promise;
  }

  portFor(asker: number): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.send({ kind: "attach", port: port1, asker }, [port1]);
    return port2;
  }

  /** Waits for what is under way; later calls are rejected. */
  close(): Promise<void> {
    if (this.closing !== undefined) return this.closing;
    this.closing = this.exited.promise;
    this.sendGroup();
    this.send({ kind: "close" });
    return this.closing;
  }

  private ask(what: Asked): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) throw this.failure;
      if (this.closing !== undefined) throw new Fault("store-closed", "the store is closed");
      this.outgoing.add(asked, what);
      this.waiting.push({ resolve, reject });
      this.flushSoon();
    });
  }

  /**
   * As soon as nothing more can be done before something comes from outside, so that whatever else
   * is asked until then goes along; or with the next answer.
   */
  private flushSoon(): void {
    if (this.flushing || this.outgoing.count === 0) return;
    if (this.underWay.count >= this.groupsMax) return;
    this.flushing = true;
    process.nextTick(() => {
      this.flushing = false;
      this.sendGroup();
    });
  }

  private sendGroup(): void {
    const { count } = this.outgoing;
    if (count === 0) return;
    this.underWay.begin(count);
    const group = this.outgoing.take();
    this.send(group, [group]);
  }

  private handOver(key: Uint8Array, message: (copy: Uint8Array<ArrayBuffer>) => ChangeKeys): void {
    const copy = Uint8Array.from(key);
    this.send(message(copy), [copy.buffer]);
  }

  /** What was asked before goes first and still finds the key. */
  private dropKey(dataKeyId: string): Promise<void> {
    if (this.failure !== undefined || this.closing !== undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.dropping.push(resolve);
    this.sendGroup();
    this.send({ kind: "drop-key", dataKeyId });
    return promise;
  }

  /** The thread is gone, and its memory with it. */
  private allDropped(): void {
    for (const done of this.dropping.splice(0)) done();
  }

  private send(message: ToThread, transfer: (ArrayBuffer | MessagePort)[] = []): void {
    this.thread.postMessage(message, transfer);
  }

  private receive(message: FromThread): void {
    if (message instanceof ArrayBuffer) this.settleAll(this.answersIn(message));
    else if (message.kind === "open") this.open.resolve();
    else if (message.kind === "copied") this.settleCopy(message);
    else if (message.kind === "key-dropped") this.dropping.shift()?.();
    else {
      this.closing = this.exited.promise;
      this.open.reject(new Fault(message.fault, message.message));
    }
  }

  private answersIn(group: ArrayBuffer): Told[] {
    const { incoming } = this;
    incoming.open(group);
    const answers: Told[] = [];
    while (incoming.count > 0) answers.push(incoming.next(answered));
    // Bodies that were claimed are views on the group, for as long as somebody opens them.
    if (!incoming.isViewed) this.outgoing.reuse(group);
    return answers;
  }

  private settleCopy({ fault, message }: { fault?: string; message?: string }): void {
    const { copying } = this;
    this.copying = undefined;
    if (fault === undefined) copying?.resolve();
    else copying?.reject(new Fault(fault, message ?? "the store could not be copied"));
  }

  private settleAll(answers: readonly Told[]): void {
    const waiting = this.waiting.splice(0, answers.length);
    this.underWay.answered(answers.length);
    this.flushSoon();
    answers.forEach((told, index) => {
      const asker = waiting[index];
      if (asker !== undefined) settle(asker, told);
    });
    const fatal = answers.find((told) => told.kind === "fault" && isFatal(told.fault));
    if (fatal?.kind === "fault") this.breakDown(fatal.message);
  }

  /** Nothing more comes from the thread. */
  end(what: string): void {
    if (this.closing === undefined) this.breakDown(what);
    this.copying?.reject(new Fault("store-closed", "the store was closed"));
    this.allDropped();
    this.exited.resolve();
  }

  breakDown(what: string, cause?: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = new Fault("store-failed", what, { cause });
    this.log.error("the store stopped", { what, cause: String(cause ?? "") });
    for (const asker of this.waiting.splice(0)) asker.reject(this.failure);
    this.copying?.reject(this.failure);
    this.allDropped();
    this.open.reject(this.failure);
    this.fail.resolve(this.failure);
  }
}

function settle(asker: Waiting, told: Told): void {
  if (told.kind === "value") asker.resolve(told.value);
  else if (told.kind === "fault") asker.reject(new Fault(told.fault, told.message));
  else {
    const bug = new Error(told.message);
    bug.stack = told.stack;
    asker.reject(bug);
  }
}
