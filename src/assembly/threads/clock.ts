import { runDue } from "../../clock/system.ts";
import type { Clock, EpochMs } from "../../kernel/clock.ts";
import type { Line } from "../../threads/line.ts";

/** How far the virtual clock is ahead of the machine's, for all threads at once. */
export function clockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}

export function publishOffset(memory: SharedArrayBuffer): (offsetMs: number) => void {
  const cell = new BigInt64Array(memory);
  return (offsetMs) => void Atomics.store(cell, 0, BigInt(offsetMs));
}

interface Appointment {
  readonly id: number;
  readonly atMs: EpochMs;
}

/**
 * What further threads wait for is kept by the first one's virtual clock, which runs everything in
 * order of time and waits for each.
 */
export function serveClock(line: Line, virtual: Clock): void {
  const cancels = new Map<number, () => void>();
  line.on<Appointment>("clock.at", ({ id, atMs }) => {
    const cancel = virtual.at(atMs, () => {
      cancels.delete(id);
      return line.ask<void>("clock.due", id);
    });
    cancels.set(id, cancel);
  });
  line.on<number>("clock.cancel", (id) => {
    cancels.get(id)?.();
    cancels.delete(id);
  });
}

export function virtualClockElsewhere(
  line: Line,
  memory: SharedArrayBuffer,
  systemNow: () => EpochMs,
  onError: (error: unknown) => void,
): Clock {
  const cell = new BigInt64Array(memory);
  const due = new Map<number, () => void | Promise<void>>();
  let lastId = 0;
  line.on<number>("clock.due", async (id) => {
    const run = due.get(id);
    due.delete(id);
    if (run) await runDue(run, onError);
  });
  return {
    now: () => systemNow() + Number(Atomics.load(cell, 0)),
    at(atMs, run) {
      lastId += 1;
      const id = lastId;
      due.set(id, run);
      line.tell("clock.at", { id, atMs } satisfies Appointment);
      return () => {
        if (due.delete(id)) line.tell("clock.cancel", id);
      };
    },
  };
}
