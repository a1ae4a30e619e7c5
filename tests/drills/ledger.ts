/** What the clients of a drill were told, and what that means for what may come. */
export interface DrillReport {
  readonly acknowledged: number;
  readonly received: number;
  readonly deleted: number;
  /** Answers and broken connections after which a client tried again. */
  readonly retried: number;
  /** Messages that came more than once: allowed, and counted. */
  readonly repeated: number;
  readonly violations: readonly string[];
}

/** Keeps the promises of a queue in mind while servers and databases die. */
export class DrillLedger {
  readonly violations: string[] = [];
  retried = 0;
  private repeated = 0;
  /** Bodies whose send was acknowledged. */
  private readonly acknowledged = new Set<string>();
  private readonly received = new Set<string>();
  /** Message ids whose deletion was acknowledged. */
  private readonly deletedIds = new Set<string>();
  private readonly deletedBodies = new Set<string>();
  /** FIFO: the highest number seen of each group. */
  private readonly seen = new Map<string, number>();

  sent(body: string): void {
    this.acknowledged.add(body);
  }

  /** What is deleted when a receive begins must not be in its answer. */
  deletedSoFar(): ReadonlySet<string> {
    return new Set(this.deletedIds);
  }

  came(messageId: string, body: string, deletedBefore: ReadonlySet<string>): void {
    if (deletedBefore.has(messageId)) this.violations.push(`deleted and back: ${body}`);
    if (this.received.has(body)) this.repeated += 1;
    this.received.add(body);
  }

  cameInOrder(messageId: string, body: string, deletedBefore: ReadonlySet<string>): void {
    this.came(messageId, body, deletedBefore);
    const [group = "", text = ""] = body.split(":");
    const number = Number(text);
    const last = this.seen.get(group) ?? 0;
    if (number > last + 1) this.violations.push(`${body} came after ${group}:${last}`);
    this.seen.set(group, Math.max(last, number));
  }

  deleted(messageId: string, body: string): void {
    this.deletedIds.add(messageId);
    this.deletedBodies.add(body);
  }

  /** Deleted, or on its way to somebody else: it may come again. */
  perhapsDeleted(body: string): void {
    this.deletedBodies.add(body);
  }

  /** Acknowledged, and not yet received and deleted. */
  open(): number {
    let count = 0;
    for (const body of this.acknowledged) if (!this.deletedBodies.has(body)) count += 1;
    return count;
  }

  report(): DrillReport {
    const lost = [...this.acknowledged].filter((body) => !this.received.has(body));
    return {
      acknowledged: this.acknowledged.size,
      received: this.received.size,
      deleted: this.deletedIds.size,
      retried: this.retried,
      repeated: this.repeated,
      violations: [...this.violations, ...lost.map((body) => `lost: ${body}`)],
    };
  }
}
