import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "../kernel/log.ts";
import type { StorePeers } from "../kernel/peers.ts";
import { type DueWork, hearDueWork, tellDueWork } from "./due-work.ts";
import type { Jobs } from "./jobs.ts";

/** How long one process may do the periodic work before it has to ask again. */
const leaseMs = 8_000;
const renewMs = 2_000;
/** Work is stopped this long before others may begin it. */
const marginMs = 2_000;
/** Hints of other processes may be lost: whoever works looks for itself this often. */
const lookAgainMs = 10_000;

export interface ElectedJobsOptions {
  /** undefined: nobody else works on the store. */
  readonly peers: StorePeers | undefined;
  readonly start: () => Jobs;
  readonly elapsedMs: () => number;
  readonly log: Log;
}

/**
 * What becomes due by itself is done by one process at a time: the one that holds the lease, in the
 * database's time. When it dies, or is cut off, another one takes over and finds in the store what
 * there is to do. Answers once it is known whether this process is the one.
 */
export async function startElectedJobs(options: ElectedJobsOptions): Promise<Jobs> {
  const { peers } = options;
  if (peers === undefined) return options.start();
  const election = new Election(peers, options);
  await election.renew();
  election.run();
  return election;
}

class Election implements Jobs {
  private readonly peers: StorePeers;
  private readonly options: ElectedJobsOptions;
  private readonly elsewhere: DueWork;
  private jobs: Jobs | undefined;
  private heldUntilMs = 0;
  private lookedMs = 0;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(peers: StorePeers, options: ElectedJobsOptions) {
    this.peers = peers;
    this.options = options;
    this.elsewhere = tellDueWork(peers);
    hearDueWork(peers, () => this.jobs);
  }

  keyWorkDue(atMs: number): void {
    (this.jobs ?? this.elsewhere).keyWorkDue(atMs);
  }

  deliveryDue(subscriptionArn: string, atMs: number): void {
    (this.jobs ?? this.elsewhere).deliveryDue(subscriptionArn, atMs);
  }

  trailDue(atMs: number): void {
    (this.jobs ?? this.elsewhere).trailDue(atMs);
  }

  moveTaskDue(atMs: number): void {
    (this.jobs ?? this.elsewhere).moveTaskDue(atMs);
  }

  aloneWithTrails: Jobs["aloneWithTrails"] = (act) =>
    this.jobs ? this.jobs.aloneWithTrails(act) : act();

  lookAgain(): void {
    this.jobs?.lookAgain();
  }

  run(): void {
    this.running = this.keepAsking();
  }

  /** Takes or keeps the lease, and begins or ends the work by it. */
  async renew(): Promise<void> {
    const { elapsedMs, log } = this.options;
    const askedMs = elapsedMs();
    const held = await this.peers.lease("jobs", leaseMs).catch(() => undefined);
    if (held === true) this.heldUntilMs = askedMs + leaseMs - marginMs;
    // Not known: the lease that was given still counts until its end.
    const mine = held ?? elapsedMs() < this.heldUntilMs;
    if (mine && this.jobs === undefined) {
      log.info("this process does the periodic work now");
      this.jobs = this.options.start();
    } else if (!mine && this.jobs !== undefined) {
      log.warn("another process does the periodic work now");
      await this.end();
    } else if (mine && elapsedMs() - this.lookedMs >= lookAgainMs) {
      this.jobs?.lookAgain();
      this.lookedMs = elapsedMs();
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.end();
    await this.peers.release("jobs").catch(() => {});
  }

  private async end(): Promise<void> {
    const { jobs } = this;
    this.jobs = undefined;
    await jobs?.stop();
  }

  private async keepAsking(): Promise<void> {
    const { signal } = this.stopping;
    for (;;) {
      await pause(renewMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await this.renew().catch((error: unknown) => {
        this.options.log.error("the periodic work could not change hands", { error });
      });
    }
  }
}
