/** What the clients of a drill were told, and what that means for what may come. */
export interface DrillReport {
  readonly acknowledged: number;
  readonly received: number;
  readonly deleted: number;
  /** Acknowledged after the fault was over. */
  readonly afterwards: number;
  /** Answers and broken connections after which a client tried again, by what it was told. */
  readonly retried: Readonly<Record<string, number>>;
  /** Messages that came more than once: allowed, and counted. */
  readonly repeated: number;
  readonly violations: readonly string[];
}

/** Keeps the promises of a queue in mind while servers and databases die. */
export class DrillLedger {
  readonly violations: string[] = [];
  private readonly retried: Record<string, number> = {};
  private repeated = 0;
  private beforeEnd = 0;
  /** Bodies whose send was acknowledged. */
  private readonly acknowledged = new Set<string>();
  private readonly received = new Set<string>();
  /** Message ids whose deletion was acknowledged. */
  private readonly deletedIds = new Set<string>();
  private readonly deletedBodies = new Set<string>();
  /** FIFO: the highest number seen of each group, and the one message that a body is. */
  private readonly seen = new Map<string, number>();
  private readonly messageIds = new Map<string, string>();

  sent(body: string): void {
    this.acknowledged.add(body);
  }

  tryAgain(why: string): void {
    this.retried[why] = (this.retried[why] ?? 0) + 1;
  }

  /** Times that a client was refused. */
  failures(): number {
    return Object.values(this.retried).reduce((sum, count) => sum + count, 0);
  }

  faultIsOver(): void {
    this.beforeEnd = this.acknowledged.size;
  }

  afterwards(): number {
    return this.acknowledged.size - this.beforeEnd;
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
    const known = this.messageIds.get(body) ?? messageId;
    if (known !== messageId) this.violations.push(`taken twice: ${body}`);
    this.messageIds.set(body, known);
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
      afterwards: this.afterwards(),
      retried: this.retried,
      repeated: this.repeated,
      violations: [...this.violations, ...lost.map((body) => `lost: ${body}`)],
    };
  }
}
