import { createHash } from "node:crypto";

/** What clients were promised about messages, and what the queues hold: the two are compared. */
export class Ledger {
  /** By queue: bodies of acknowledged sends and publishes. */
  private readonly promised = new Map<string, Set<string>>();
  private readonly deleted = new Map<string, Set<string>>();
  /** Deletes without an answer: the message may be there or not. */
  private readonly doubtful = new Map<string, Set<string>>();
  /** Publishes without an answer: in all queues or in none. */
  private readonly unanswered = new Set<string>();

  constructor(queues: readonly string[]) {
    for (const queue of queues) {
      for (const sets of [this.promised, this.deleted, this.doubtful]) sets.set(queue, new Set());
    }
  }

  get queues(): readonly string[] {
    return [...this.promised.keys()];
  }

  acknowledged(queue: string, body: string): void {
    this.of(this.promised, queue).add(body);
  }

  published(body: string): void {
    for (const queue of this.queues) this.acknowledged(queue, body);
  }

  publishUnanswered(body: string): void {
    this.unanswered.add(body);
  }

  deletedFrom(queue: string, body: string): void {
    this.of(this.deleted, queue).add(body);
  }

  deleteUnanswered(queue: string, body: string): void {
    this.of(this.doubtful, queue).add(body);
  }

  count(): { readonly promised: number; readonly deleted: number } {
    const sum = (sets: Map<string, Set<string>>) =>
      [...sets.values()].reduce((all, set) => all + set.size, 0);
    return { promised: sum(this.promised), deleted: sum(this.deleted) };
  }

  /** What is wrong with the queues' contents; empty if every promise was kept. */
  broken(present: ReadonlyMap<string, readonly string[]>): readonly string[] {
    const wrong: string[] = [];
    for (const queue of this.queues) {
      const bodies = present.get(queue) ?? [];
      const there = new Set(bodies);
      const gone = this.of(this.deleted, queue);
      const maybe = this.of(this.doubtful, queue);
      if (there.size !== bodies.length) wrong.push(`${queue}: a message is there twice`);
      for (const body of there) {
        if (!isWhole(body)) wrong.push(`${queue}: damaged ${body.slice(0, 20)}`);
        if (gone.has(body)) wrong.push(`${queue}: back ${nameOf(body)}`);
      }
      for (const body of this.of(this.promised, queue)) {
        const expected = !gone.has(body) && !maybe.has(body);
        if (expected && !there.has(body)) wrong.push(`${queue}: lost ${nameOf(body)}`);
      }
    }
    for (const body of this.unanswered) {
      const inQueues = this.queues.filter((queue) => this.wasIn(queue, body, present));
      const all = inQueues.length === this.queues.length;
      if (inQueues.length > 0 && !all) wrong.push(`in ${inQueues} only: ${nameOf(body)}`);
    }
    return wrong;
  }

  private wasIn(
    queue: string,
    body: string,
    present: ReadonlyMap<string, readonly string[]>,
  ): boolean {
    const there = present.get(queue)?.includes(body) ?? false;
    const taken = this.of(this.deleted, queue).has(body) || this.of(this.doubtful, queue).has(body);
    return there || taken;
  }

  private of(sets: Map<string, Set<string>>, queue: string): Set<string> {
    const set = sets.get(queue);
    if (!set) throw new Error(`no queue ${queue}`);
    return set;
  }
}

/** A body that shows whether it is whole. */
export function wholeBody(name: string): string {
  return `${name} ${digest(name)}`;
}

function isWhole(body: string): boolean {
  return body === wholeBody(nameOf(body));
}

function nameOf(body: string): string {
  return body.split(" ")[0] ?? "";
}

function digest(name: string): string {
  const hash = createHash("sha512").update(name).digest("hex");
  return hash.repeat(4);
}
