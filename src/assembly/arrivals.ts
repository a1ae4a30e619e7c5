import type { Peers } from "../kernel/peers.ts";
import type { Arrivals } from "../services/sqs/arrivals.ts";
import type { Sqs } from "../services/sqs/service.ts";

const announceMs = 2_000;
/** What was announced counts this long: twice and a half as long as it takes to say it again. */
const interestMs = 5_000;
const queuesMax = 100_000;

/**
 * Long polls over several processes: who waits says so, and only to those who are waited for is it
 * told that something arrived. `elapsedMs`: time that passes by itself.
 */
export function arrivalsBy(peers: Peers, elapsedMs: () => number): Arrivals {
  /** Until when others wait, by queue. */
  const interested = new Map<string, number>();
  const announced = new Map<string, number>();
  peers.on("sqs.waits", (queueId) => {
    if (interested.size >= queuesMax) interested.clear();
    interested.set(queueId, elapsedMs() + interestMs);
  });
  const tellWaiting = (topic: string, queueId: string, text: string) => {
    if (interested.size === 0) return;
    const untilMs = interested.get(queueId);
    if (untilMs === undefined) return;
    if (elapsedMs() < untilMs) peers.tell(topic, text);
    else interested.delete(queueId);
  };
  return {
    joined: () => () => {},
    waited(queueId) {
      const nowMs = elapsedMs();
      if (nowMs - (announced.get(queueId) ?? Number.NEGATIVE_INFINITY) < announceMs) return;
      if (announced.size >= queuesMax) announced.clear();
      announced.set(queueId, nowMs);
      peers.tell("sqs.waits", queueId);
    },
    arrived: (queueId, count) => tellWaiting("sqs.arrived", queueId, `${queueId} ${count}`),
    dueAt: (queueId, atMs) => tellWaiting("sqs.due", queueId, `${queueId} ${atMs}`),
    changed: (queueId) => tellWaiting("sqs.changed", queueId, queueId),
  };
}

const slotsMax = 4096;

export function waitingMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(slotsMax * 4);
}

/**
 * Long polls over the threads of a process: how many consumers take part, by queue, lies in memory
 * that all see, so a send tells the others of it exactly where one of them may have looked before.
 */
export function arrivalsBetween(peers: Peers, memory: SharedArrayBuffer): Arrivals {
  const all = new Int32Array(memory);
  const own = new Int32Array(slotsMax);
  const join = (slot: number, by: number): void => {
    Atomics.add(all, slot, by);
    own[slot] = (own[slot] ?? 0) + by;
  };
  const tellWaiting = (topic: string, queueId: string, text: string): void => {
    const slot = slotOf(queueId);
    if (Atomics.load(all, slot) > (own[slot] ?? 0)) peers.tell(topic, text);
  };
  return {
    joined(queueId) {
      const slot = slotOf(queueId);
      join(slot, 1);
      return () => join(slot, -1);
    },
    arrived: (queueId, count) => tellWaiting("sqs.arrived", queueId, `${queueId} ${count}`),
    dueAt: (queueId, atMs) => tellWaiting("sqs.due", queueId, `${queueId} ${atMs}`),
    changed: (queueId) => tellWaiting("sqs.changed", queueId, queueId),
  };
}

/** Queues that share a slot get some hints in vain. */
function slotOf(queueId: string): number {
  let hash = 0;
  for (let index = 0; index < queueId.length; index += 1) {
    hash = (Math.imul(hash, 31) + queueId.charCodeAt(index)) | 0;
  }
  return hash & (slotsMax - 1);
}

/** What others tell wakes those who wait here, and ends counts of queues that are gone. */
export function hearOthers(
  peers: Peers,
  { waiters: own, forget }: Pick<Sqs, "waiters" | "forget">,
): void {
  peers.on("sqs.deleted", forget);
  const listen = (topic: string, act: (queueId: string, number: number) => void) =>
    peers.on(topic, (text) => {
      const [queueId = "", number = "0"] = text.split(" ");
      act(queueId, Number(number));
    });
  listen("sqs.arrived", (queueId, count) => own.wake(queueId, count));
  listen("sqs.due", (queueId, atMs) => own.due(queueId, atMs));
  listen("sqs.changed", (queueId) => own.wakeAll(queueId));
}
