import type { Log } from "../kernel/log.ts";
import { type Link, unavailable } from "./link.ts";

export interface Supervisor {
  readonly pid: number;
  /**
   * The open link. While a lost process is being replaced this waits for that attempt; between
   * attempts, and after `close`, it rejects with Fault `key-process-unavailable`.
   */
  link(): Link | Promise<Link>;
  close(): Promise<void>;
}

/** Waits before the attempts to replace a lost process; the last one repeats. */
const retryDelaysMs = [0, 100, 400, 1600, 5000] as const;
/** A process that lived this long was well: the next loss starts with the first delay again. */
const settledMs = 30_000;

/**
 * Keeps a key process alive. `start` makes one and opens its ring; it must clean up after itself
 * when that fails.
 */
export function supervise(first: Link, start: () => Promise<Link>, log: Log): Supervisor {
  let current: Link | undefined = first;
  let attempt: Promise<Link> | undefined;
  let failures = 0;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let settled: NodeJS.Timeout | undefined;
  let pid = first.pid;

  const watch = (link: Link): void => {
    settled = setTimeout(() => {
      failures = 0;
    }, settledMs).unref();
    void link.ended.then(() => {
      clearTimeout(settled);
      current = undefined;
      if (closing) return;
      log.error("key process ended unexpectedly; starting it again", { pid: link.pid });
      retry();
    });
  };

  const retry = (): void => {
    const delayMs = retryDelaysMs[Math.min(failures, retryDelaysMs.length - 1)] ?? 0;
    failures += 1;
    if (delayMs === 0) replace();
    else timer = setTimeout(replace, delayMs);
  };

  const replace = (): void => {
    attempt = start();
    attempt.then(adopt, (error: unknown) => {
      attempt = undefined;
      if (closing) return;
      log.error("key process did not start", { error: String(error), failures });
      retry();
    });
  };

  const adopt = (link: Link): void => {
    attempt = undefined;
    current = link;
    pid = link.pid;
    watch(link);
    log.info("key process runs again", { pid });
  };

  watch(first);
  return {
    get pid() {
      return pid;
    },
    link: () => (closing ? undefined : (current ?? attempt)) ?? Promise.reject(unavailable()),
    async close() {
      closing = true;
      clearTimeout(timer);
      clearTimeout(settled);
      const link = current ?? (await attempt?.catch(() => undefined));
      await link?.close();
    },
  };
}
