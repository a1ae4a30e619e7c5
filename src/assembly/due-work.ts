import type { Peers } from "../kernel/peers.ts";

/** Tells whoever does the periodic work that something becomes due at a service time. */
export interface DueWork {
  keyWorkDue(atMs: number): void;
  deliveryDue(subscriptionArn: string, atMs: number): void;
  moveTaskDue(atMs: number): void;
  /** Something of a trail. */
  trailDue(atMs: number): void;
}

/** Tells the others, for one of them does the work. */
export function tellDueWork(peers: Peers): DueWork {
  return {
    keyWorkDue: (atMs) => peers.tell("due.keys", String(atMs)),
    deliveryDue: (arn, atMs) => peers.tell("due.delivery", `${atMs} ${arn}`),
    moveTaskDue: (atMs) => peers.tell("due.moves", String(atMs)),
    trailDue: (atMs) => peers.tell("due.trails", String(atMs)),
  };
}

/** Until whoever does the work has started, it is not told: the start looks for itself. */
export function lateDueWork(work: () => DueWork | undefined): DueWork {
  return {
    keyWorkDue: (atMs) => work()?.keyWorkDue(atMs),
    deliveryDue: (arn, atMs) => work()?.deliveryDue(arn, atMs),
    moveTaskDue: (atMs) => work()?.moveTaskDue(atMs),
    trailDue: (atMs) => work()?.trailDue(atMs),
  };
}

/** Hears it from the others. `work`: undefined while somebody else does it. */
export function hearDueWork(peers: Peers, work: () => DueWork | undefined): void {
  peers.on("due.keys", (text) => work()?.keyWorkDue(Number(text)));
  peers.on("due.moves", (text) => work()?.moveTaskDue(Number(text)));
  peers.on("due.trails", (text) => work()?.trailDue(Number(text)));
  peers.on("due.delivery", (text) => {
    const [atMs = "0", arn = ""] = text.split(" ");
    work()?.deliveryDue(arn, Number(atMs));
  });
}
