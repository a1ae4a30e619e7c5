import type { Peers } from "../kernel/peers.ts";
import type { Arrivals } from "../services/sqs/arrivals.ts";
import type { Waiters } from "../services/sqs/waiters.ts";

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

/** What others tell wakes those who wait here. */
export function hearArrivals(peers: Peers, own: Waiters): void {
  const listen = (topic: string, act: (queueId: string, number: number) => void) =>
    peers.on(topic, (text) => {
      const [queueId = "", number = "0"] = text.split(" ");
      act(queueId, Number(number));
    });
  listen("sqs.arrived", (queueId, count) => own.wake(queueId, count));
  listen("sqs.due", (queueId, atMs) => own.due(queueId, atMs));
  listen("sqs.changed", (queueId) => own.wakeAll(queueId));
}
