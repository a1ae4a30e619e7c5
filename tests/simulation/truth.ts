import assert from "node:assert/strict";

/** What the world knows of one message, by its body, which is unique. */
export interface Known {
  readonly body: string;
  /** "" on the standard queue. */
  readonly group: string;
  /** Place in the order of a FIFO queue; undefined while nobody knows it. */
  order: bigint | undefined;
  /** `maybe`: the answer was lost in a crash. */
  sent: "yes" | "maybe";
  deleted: "no" | "maybe" | "yes";
  hiddenUntilMs: number;
  /** Never received: hidden means delayed. */
  received: boolean;
  /** Receives that were answered; `lost` ones may have happened besides. */
  receives: number;
  lostReceives: number;
  /** Handle of its last receive. */
  handle: string;
  /** Something after it in its group came without it: it must be in the dead-letter queue. */
  mustBeDead: boolean;
}

/** The messages of a queue and its dead-letter queue. */
export class Truth {
  readonly messages = new Map<string, Known>();
  /** Until then a lost receive may hide anything. */
  murkyUntilMs = 0;
  private readonly receiveCountMax: number;

  constructor(receiveCountMax: number) {
    this.receiveCountMax = receiveCountMax;
  }

  sent(facts: Pick<Known, "body" | "group" | "order" | "sent" | "hiddenUntilMs">): Known {
    const known: Known = {
      ...facts,
      deleted: "no",
      received: false,
      receives: 0,
      lostReceives: 0,
      handle: "",
      mustBeDead: false,
    };
    this.messages.set(facts.body, known);
    return known;
  }

  alive(): Known[] {
    return [...this.messages.values()].filter(({ deleted }) => deleted !== "yes");
  }

  /** Whether everything about counts is known at this time. */
  isClear(nowMs: number): boolean {
    if (nowMs < this.murkyUntilMs) return false;
    return this.alive().every(({ sent, deleted }) => sent === "yes" && deleted === "no");
  }

  counts(nowMs: number): { visible: number; inFlight: number; delayed: number } {
    const hidden = this.alive().filter(({ hiddenUntilMs }) => hiddenUntilMs > nowMs);
    const inFlight = hidden.filter(({ received }) => received).length;
    const visible = this.alive().length - hidden.length;
    return { visible, inFlight, delayed: hidden.length - inFlight };
  }

  /** A receive came back with these bodies, in this order. */
  checkReceive(bodies: readonly string[], nowMs: number, touched: ReadonlySet<string>): void {
    assert.equal(new Set(bodies).size, bodies.length, "a receive has each message once");
    for (const body of bodies) {
      const known = this.messages.get(body);
      assert.ok(known, `${body} was never sent`);
      assert.notEqual(known.deleted, "yes", `${body} was deleted and came back`);
      const free = known.hiddenUntilMs <= nowMs || touched.has(body);
      assert.ok(free, `${body} came ${known.hiddenUntilMs - nowMs} ms before its time`);
      known.sent = "yes";
      if (known.deleted === "maybe" && !touched.has(body)) known.deleted = "no";
    }
  }

  /** Order within groups, and that nobody else holds a message of a group. */
  checkFifo(bodies: readonly string[], nowMs: number, touched: ReadonlySet<string>): void {
    const got = bodies.map((body) => this.require(body));
    for (const [index, known] of got.entries()) {
      const before = got.slice(0, index).filter(({ group }) => group === known.group);
      for (const earlier of before) this.checkOrder(earlier, known);
      for (const other of this.alive()) {
        if (other.group !== known.group || got.includes(other) || other.deleted === "maybe")
          continue;
        const held = other.hiddenUntilMs > nowMs && other.received && !touched.has(other.body);
        assert.ok(!held, `${known.body} came while ${other.body} of its group was held`);
        this.checkNotBefore(other, known, touched);
      }
    }
  }

  private checkOrder(earlier: Known, later: Known): void {
    if (earlier.order === undefined || later.order === undefined) return;
    assert.ok(earlier.order < later.order, `${later.body} came after ${earlier.body}`);
  }

  /** `other` was not received with `known`: it is later, gone, or dead. */
  private checkNotBefore(other: Known, known: Known, touched: ReadonlySet<string>): void {
    if (other.order === undefined || known.order === undefined) return;
    if (other.order > known.order || touched.has(other.body) || other.sent === "maybe") return;
    const receives = other.receives + other.lostReceives;
    assert.ok(receives >= this.receiveCountMax, `${known.body} came before ${other.body}`);
    other.mustBeDead = true;
  }

  require(body: string): Known {
    const known = this.messages.get(body);
    assert.ok(known, `${body} is known`);
    return known;
  }
}
