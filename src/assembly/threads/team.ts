import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { entryUrl } from "../../kernel/entry-url.ts";
import { assert } from "../../kernel/errors.ts";
import type { Peers } from "../../kernel/peers.ts";
import { versionMemory, versionReader } from "../../kernel/version-log.ts";
import { createTurns, type Turns } from "../../state/turns.ts";
import { threadEnvironment } from "../../stores/sqlite/thread-environment.ts";
import { type Line, openLine } from "../../threads/line.ts";
import { threadPeers } from "../../threads/peers.ts";
import { arrivalsBetween, waitingMemory } from "../arrivals.ts";
import { hearDueWork } from "../due-work.ts";
import { StartError } from "../start-error.ts";
import type { OpenState } from "../state.ts";
import type { SharedMemory, TeamParts, TeamStart, ThreadTeam } from "../thread-team.ts";
import { clockMemory, publishOffset, serveClock } from "./clock.ts";
import { forgetWithThreads, lendDataKeys } from "./data-keys.ts";
import { serveKeys } from "./keys.ts";
import type { MemberData } from "./member.ts";
import { serveNotes } from "./notes.ts";
import { serveRoutes } from "./routes.ts";
import { serveSignatures } from "./signatures.ts";
import { serveTurns, topicTurn } from "./turns.ts";
import { serveLastUse, usageElsewhere } from "./usage.ts";

/** A thread that was told to stop, and has stopped, ends by itself; else it is ended. */
const endMsMax = 1_000;

/** The team of a process of several threads. `threads`: with the first one. */
export function openTeam(threads: number): ThreadTeam {
  const channels = Array.from({ length: threads - 1 }, () => new MessageChannel());
  const lines = channels.map(({ port1 }) => openLine(port1));
  const failure = Promise.withResolvers<Error>();
  const workers: Worker[] = [];
  let live: readonly Line[] = [];
  let stopping: Promise<unknown> | undefined;
  const memory = { versions: versionMemory(), waiting: waitingMemory(), clock: clockMemory() };
  const changes = versionReader(memory.versions, 0);
  const peers = threadPeers({ lines, changes });
  const turns = createTurns();
  const beginStop = (): void => {
    stopping ??= Promise.all(lines.map((line) => line.ask("stop").catch(() => {})));
  };
  const fail = (error: Error): void => {
    if (!stopping) failure.resolve(error);
  };

  return {
    ...usageElsewhere(lines, () => live),
    shared: {
      sharing: {
        peers,
        arrivals: arrivalsBetween(peers, memory.waiting),
        shareForgetting: (own) => forgetWithThreads(own, lines),
      },
      onStore: { peers, versions: memory.versions, takeTurn: turns.take },
      moved: publishOffset(memory.clock),
    },
    failed: failure.promise,
    catchUp() {
      for (const line of lines) line.catchUp();
    },
    certificateChanged() {
      for (const line of lines) line.tell("certificate");
    },
    async start(parts, start) {
      serveParts(lines, { peers, turns }, parts);
      for (const [index, line] of lines.entries()) {
        line.on<string>("failed", (text) => fail(new Error(text)));
        const port = channels[index]?.port2;
        assert(port, "each line has its other end");
        const worker = startMember({ ...start, number: index + 1, memory, port }, parts.state);
        worker.on("error", (error) =>
          fail(error instanceof Error ? error : new Error(String(error))),
        );
        worker.on("exit", () => fail(new Error(`gateway thread ${index + 2} ended`)));
        workers.push(worker);
      }
      live = lines;
      const ready = Promise.all(lines.map((line) => line.ask("ready")));
      const failed = await Promise.race([ready.then(() => undefined), failure.promise]);
      if (failed) throw new StartError(`a gateway thread did not start: ${failed.message}`);
    },
    beginStop,
    async ended() {
      if (live.length > 0) {
        beginStop();
        await stopping;
      }
      live = [];
      await Promise.all(workers.map(endWorker));
    },
    close() {
      for (const line of lines) line.close();
    },
  };
}

interface Shared {
  readonly peers: Peers;
  /** Of changes of the configuration. */
  readonly turns: Turns;
}

function serveParts(lines: readonly Line[], { peers, turns }: Shared, parts: TeamParts): void {
  hearDueWork(peers, parts.jobs);
  lendDataKeys(lines, parts.sealer);
  for (const line of lines) {
    serveTurns(line, "fifo-turn", topicTurn(parts.fifoTurns));
    serveTurns(line, "turn", turns.take);
    serveKeys(line, parts.state.keys);
    serveSignatures(line, parts.signer);
    serveNotes(line, parts.notes);
    serveRoutes(line, parts.handler);
    serveLastUse(line, parts.lastUse);
    if (parts.virtual) serveClock(line, parts.virtual);
  }
}

interface MemberStart extends TeamStart {
  readonly number: number;
  readonly memory: SharedMemory;
  readonly port: MessagePort;
}

function startMember({ settings, ...start }: MemberStart, { store, keys }: OpenState): Worker {
  const storePort = store.portFor?.(start.number);
  assert(storePort, "further threads work on the embedded store");
  const workerData: MemberData = {
    ...start,
    // What only the first thread opens, it keeps.
    settings: { ...settings, sealSecrets: {}, rootCredentials: undefined },
    storePort,
    ringKeys: keys.ringKeys.map(({ key, ...ringKey }) => ({ ...ringKey, key: sharedCopy(key) })),
  };
  return new Worker(entryUrl(import.meta.url, "./member"), {
    workerData,
    transferList: [start.port, storePort],
    name: `gateway ${start.number + 1}`,
    env: threadEnvironment(),
  });
}

/** Memory that both threads see: the one that reads it wipes it, and no message holds a copy. */
function sharedCopy(key: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(key.length);
  new Uint8Array(memory).set(key);
  return memory;
}

async function endWorker(worker: Worker): Promise<void> {
  // -1: it has ended already.
  if (worker.threadId === -1) return;
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const overdue = setTimeout(() => void worker.terminate(), endMsMax);
  await exited;
  clearTimeout(overdue);
}
