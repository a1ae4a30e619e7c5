import type { Settings } from "../config.ts";
import type { Handler } from "../gateway/exchange.ts";
import type { Clock } from "../kernel/clock.ts";
import type { DataKeyHolder } from "../sealing/sealer.ts";
import type { TopicTurns } from "../services/sns/ports.ts";
import type { RememberedSigner } from "../signing/remembered.ts";
import type { Jobs } from "./jobs.ts";
import type { Sharing } from "./sharing.ts";
import type { OpenState, ThreadsOnStore } from "./state.ts";
import type { Notes } from "./threads/notes.ts";
import type { UsageElsewhere } from "./threads/usage.ts";

/** What all threads see at once. */
export interface SharedMemory {
  readonly versions: SharedArrayBuffer;
  readonly waiting: SharedArrayBuffer;
  readonly clock: SharedArrayBuffer;
}

/** What there is once in the process, in the first thread, and what the others ask for. */
export interface TeamParts {
  readonly state: OpenState;
  readonly sealer: DataKeyHolder;
  readonly signer: RememberedSigner;
  readonly notes: Notes;
  readonly fifoTurns: TopicTurns;
  readonly virtual: Clock | undefined;
  readonly handler: Handler;
  readonly jobs: () => Jobs | undefined;
  readonly lastUse: (id: string) => Promise<unknown>;
}

/** What further threads are told at their start. */
export interface TeamStart {
  readonly settings: Settings;
  readonly folderPath: string;
  readonly accountId: string;
  readonly version: string;
  readonly ports: readonly number[];
  readonly publicUrl: string;
}

/** What the first thread is put together with where there are others. */
export interface SharedByTeam {
  readonly sharing: Sharing;
  readonly onStore: ThreadsOnStore;
  /** Tells all threads how far the virtual clock is. */
  readonly moved: (offsetMs: number) => void;
}

/** The further gateway threads of a process, as the first one sees them; perhaps there are none. */
export interface ThreadTeam extends UsageElsewhere {
  /** undefined: this thread is the only one. */
  readonly shared: SharedByTeam | undefined;
  /** Settles if a thread ends that was not told to. The process should stop: a part is missing. */
  readonly failed: Promise<Error>;
  /** Hears now what the others have told. */
  readonly catchUp: () => void;
  readonly certificateChanged: () => void;
  /** Starts the threads; answers when each of them serves. Throws StartError. */
  start(parts: TeamParts, start: TeamStart): Promise<void>;
  /** Tells the threads to accept no more and to finish what they have. */
  beginStop(): void;
  /** Resolves once they have ended. */
  ended(): Promise<void>;
  /** Last, also where the threads were never started. */
  close(): void;
}

/** Throws StartError where the port cannot be shared. */
export async function teamOf({ threads }: Pick<Settings, "threads">): Promise<ThreadTeam> {
  if (threads === 1) return noTeam;
  // Loaded by those who use it alone.
  const { openTeam } = await import("./threads/team.ts");
  return openTeam(threads);
}

const noTeam: ThreadTeam = {
  shared: undefined,
  failed: new Promise(() => {}),
  counts: async () => [],
  lastUse: async () => undefined,
  takeAccessKeyUses: async (own) => own,
  catchUp() {},
  certificateChanged() {},
  async start() {},
  beginStop() {},
  async ended() {},
  close() {},
};
