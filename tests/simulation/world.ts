import assert from "node:assert/strict";
import type { Message } from "@aws-sdk/client-sqs";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { type HandClock, handClock } from "../sqs/hand-clock.ts";
import { accountId, type InProcess, region, serviceOn } from "../sqs/in-process.ts";
import { url } from "../sqs/one-queue.ts";
import type { Dice } from "./random.ts";
import { type Known, Truth } from "./truth.ts";

/** A store on a file, with a service on it that can crash. One for many seeds. */
export class Ground {
  here: InProcess;
  readonly clock: HandClock;
  private readonly path: string;

  private constructor(path: string, here: InProcess, clock: HandClock) {
    this.path = path;
    this.here = here;
    this.clock = clock;
  }

  static async open(path: string): Promise<Ground> {
    const clock = handClock();
    return new Ground(path, await serve(path, clock), clock);
  }

  /** Everything in memory is lost, and what is under way is done or not. */
  async crash(): Promise<void> {
    await this.here.store.close();
    this.here = await serve(this.path, this.clock);
  }

  close(): Promise<void> {
    return this.here.store.close();
  }
}

async function serve(path: string, clock: HandClock): Promise<InProcess> {
  const store = await openSqliteStore({ path, log: silentLog });
  return serviceOn({ store, clock, systemClock: handClock() });
}

export const receiveCountMax = 3;
const visibilities = [5, 10, 30];
const rememberMs = 300_000;

export interface Side {
  readonly name: string;
  readonly dead: string;
  readonly truth: Truth;
  readonly delaySeconds: number;
}

/** How often things happened: a simulation in which they do not shows nothing. */
export interface Seen {
  crashes: number;
  duplicates: number;
  received: number;
  deadLetters: number;
  redrives: number;
  countChecks: number;
}

export const nothingSeen = (): Seen => ({
  crashes: 0,
  duplicates: 0,
  received: 0,
  deadLetters: 0,
  redrives: 0,
  countChecks: 0,
});

interface FirstSend {
  readonly atMs: number;
  readonly messageId: string;
}

/** Two queues with their dead-letter queues, actors on them, and what must be true of them. */
export class World {
  readonly standard: Side;
  readonly fifo: Side;
  private readonly ground: Ground;
  private readonly dice: Dice;
  private readonly sends = new Map<string, FirstSend>();
  private bodies = 0;
  /** Bodies that more than one act of the present step may have changed. */
  private touched = new Set<string>();
  /** Answers to what began before a crash come with faults. */
  private crashing = false;

  private readonly seen: Seen;

  constructor(ground: Ground, dice: Dice, name: string, seen: Seen) {
    this.seen = seen;
    this.ground = ground;
    this.dice = dice;
    const side = (suffix: string): Side => ({
      name: `${name}${suffix}`,
      dead: `${name}-dead${suffix}`,
      truth: new Truth(receiveCountMax),
      delaySeconds: dice.pick([0, 0, 8]),
    });
    this.standard = side("");
    this.fifo = side(".fifo");
  }

  private get nowMs(): number {
    return this.ground.clock.now();
  }

  async create(): Promise<void> {
    for (const [side, fifo] of [
      [this.standard, {}],
      [this.fifo, { FifoQueue: "true" }],
    ] as const) {
      const deadLetterTargetArn = `arn:aws:sqs:${region}:${accountId}:${side.dead}`;
      const RedrivePolicy = JSON.stringify({
        deadLetterTargetArn,
        maxReceiveCount: receiveCountMax,
      });
      const DelaySeconds = String(side.delaySeconds);
      await this.ground.here.call("CreateQueue", { QueueName: side.dead, Attributes: fifo });
      const Attributes = { ...fifo, RedrivePolicy, DelaySeconds };
      await this.ground.here.call("CreateQueue", { QueueName: side.name, Attributes });
    }
  }

  /** Some acts at once, perhaps with a crash among them; then the time moves. */
  async step(): Promise<void> {
    this.touched = new Set();
    const acts = Array.from({ length: 1 + this.dice.int(4) }, () => this.act());
    if (this.dice.chance(0.01)) await this.crashDuring(acts);
    else await Promise.all(acts.map((act) => act()));
    await this.checkCounts(this.standard);
    await this.checkCounts(this.fifo);
    await this.ground.clock.advance(this.dice.pick([0, 0, 0, 500, 3000, 12_000, 60_000]));
  }

  private async crashDuring(acts: readonly (() => Promise<void>)[]): Promise<void> {
    this.crashing = true;
    this.seen.crashes++;
    const running = Promise.allSettled(acts.map((act) => act()));
    for (let turns = this.dice.int(4); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.ground.crash();
    for (const result of await running) {
      if (result.status === "rejected" && !(result.reason instanceof Fault)) throw result.reason;
    }
    this.crashing = false;
    // What was to move to a dead-letter queue is hidden for a time, if it did not come there.
    for (const { truth } of [this.standard, this.fifo]) {
      truth.murkyUntilMs = Math.max(truth.murkyUntilMs, this.nowMs + 30_000);
    }
  }

  private act(): () => Promise<void> {
    const side = this.dice.pick([this.standard, this.fifo]);
    const acts = [
      () => this.send(side),
      () => this.send(side),
      () => this.receive(side),
      () => this.receive(side),
      () => this.remove(side),
      () => this.remove(side),
      () => this.hide(side),
      ...(side === this.standard ? [() => this.redrive()] : [() => this.sendAgain()]),
    ];
    const chosen = this.dice.pick(acts);
    // What an act does is decided now, in the order of the seed.
    return chosen();
  }

  private call<O>(operation: string, input: object): Promise<O> {
    return this.ground.here.call<O>(operation, input);
  }

  /** undefined: a crash took the answer. */
  private async answered<O>(act: Promise<O>, lost: () => void): Promise<O | undefined> {
    try {
      return await act;
    } catch (error) {
      if (!this.crashing || !(error instanceof Fault)) throw error;
      lost();
      return undefined;
    }
  }

  private send(side: Side): () => Promise<void> {
    const fifo = side === this.fifo;
    const group = fifo ? this.dice.pick(["a", "b", "c"]) : "";
    const tenant = this.dice.pick([undefined, undefined, "t1", "t2"]);
    const body = `${side.name} ${group} ${++this.bodies}`;
    return () => this.sendOne(side, body, group, body, tenant);
  }

  private async sendOne(
    side: Side,
    body: string,
    group: string,
    id: string,
    tenant?: string,
  ): Promise<void> {
    const ids =
      side === this.fifo
        ? { MessageGroupId: group, MessageDeduplicationId: id.replaceAll(" ", "_") }
        : { MessageGroupId: tenant };
    const hiddenUntilMs = this.nowMs + side.delaySeconds * 1000;
    // It may be received before its send is answered.
    const facts = { body, group, hiddenUntilMs, order: undefined };
    const sent = side.truth.sent({ ...facts, sent: "maybe" });
    const first = this.sends.get(id);
    const input = { QueueUrl: url(side.name), MessageBody: body, ...ids };
    const answer = await this.answered(
      this.call<{ MessageId: string; SequenceNumber?: string }>("SendMessage", input),
      () => {},
    );
    if (!answer) return;
    const { MessageId: messageId, SequenceNumber } = answer;
    const known = first && this.nowMs - first.atMs < rememberMs;
    if (known) assert.equal(messageId, first.messageId, `${id} is a duplicate`);
    if (first && !known) assert.notEqual(messageId, first.messageId, `${id} is forgotten`);
    if (known) {
      this.seen.duplicates++;
      side.truth.messages.delete(body);
      return;
    }
    if (side === this.fifo) this.sends.set(id, { atMs: this.nowMs, messageId });
    sent.sent = "yes";
    sent.order = SequenceNumber === undefined ? undefined : BigInt(SequenceNumber);
  }

  /** A message that was sent before once more, under the same deduplication id. */
  private sendAgain(): () => Promise<void> {
    const ids = [...this.sends.keys()];
    if (ids.length === 0) return this.send(this.fifo);
    const id = this.dice.pick(ids);
    const body = `${this.fifo.name} again ${++this.bodies}`;
    const group = id.split(" ")[1] ?? "a";
    // Two at once would leave open which is the first.
    if (this.touched.has(id)) return async () => {};
    this.touched.add(id);
    return () => this.sendOne(this.fifo, body, group, id);
  }

  private receive(side: Side): () => Promise<void> {
    const MaxNumberOfMessages = 1 + this.dice.int(10);
    const VisibilityTimeout = this.dice.pick(visibilities);
    return async () => {
      const MessageSystemAttributeNames = ["SequenceNumber"];
      const numbers = { MaxNumberOfMessages, VisibilityTimeout };
      const input = { QueueUrl: url(side.name), ...numbers, MessageSystemAttributeNames };
      const answer = await this.answered(
        this.call<{ Messages?: readonly Message[] }>("ReceiveMessage", input),
        () => this.lostReceive(side, VisibilityTimeout),
      );
      if (!answer) return;
      const messages = answer.Messages ?? [];
      const bodies = messages.map(({ Body = "" }) => Body);
      side.truth.checkReceive(bodies, this.nowMs, this.touched);
      for (const { Body = "", Attributes } of messages) {
        const { SequenceNumber } = Attributes ?? {};
        if (SequenceNumber) side.truth.require(Body).order = BigInt(SequenceNumber);
      }
      if (side === this.fifo) side.truth.checkFifo(bodies, this.nowMs, this.touched);
      for (const { Body = "", ReceiptHandle: handle = "" } of messages) {
        const hiddenUntilMs = this.nowMs + VisibilityTimeout * 1000;
        const known = side.truth.require(Body);
        Object.assign(known, { hiddenUntilMs, handle, received: true });
        known.receives++;
        this.seen.received++;
      }
    };
  }

  private lostReceive(side: Side, visibilitySeconds: number): void {
    const untilMs = this.nowMs + visibilitySeconds * 1000;
    side.truth.murkyUntilMs = Math.max(side.truth.murkyUntilMs, untilMs, this.nowMs + 30_000);
    for (const known of side.truth.alive()) known.lostReceives++;
  }

  /** Messages with a handle; on a FIFO queue only while it is good. */
  private held(side: Side): ReturnType<Truth["alive"]> {
    return side.truth.alive().filter(({ handle, hiddenUntilMs, body }) => {
      const good = side === this.standard || hiddenUntilMs > this.nowMs;
      return handle !== "" && good && !this.touched.has(body);
    });
  }

  private remove(side: Side): () => Promise<void> {
    const held = this.held(side);
    if (held.length === 0) return this.receive(side);
    const hidden = held.filter(({ hiddenUntilMs }) => hiddenUntilMs > this.nowMs);
    const known = this.dice.pick(hidden.length > 0 && this.dice.chance(0.9) ? hidden : held);
    const { body, handle } = known;
    const visible = known.hiddenUntilMs <= this.nowMs;
    this.touched.add(body);
    // It may be received anew, or moved, before it is deleted: then it stays.
    if (visible) known.deleted = "maybe";
    return async () => {
      const input = { QueueUrl: url(side.name), ReceiptHandle: handle };
      const murky = this.nowMs < side.truth.murkyUntilMs;
      const lost = () => {
        known.deleted = "maybe";
      };
      const answer = await this.answered(this.call("DeleteMessage", input), lost);
      if (!answer) return;
      known.deleted = visible || murky || known.lostReceives > 0 ? "maybe" : "yes";
    };
  }

  /** A holder keeps what it holds longer, or lets it go: on a FIFO queue all of the group. */
  private hide(side: Side): () => Promise<void> {
    const held = this.held(side).filter(({ hiddenUntilMs }) => hiddenUntilMs > this.nowMs);
    if (held.length === 0) return this.receive(side);
    const { body, group } = this.dice.pick(held);
    const all = held.filter((one) => (group === "" ? one.body === body : one.group === group));
    // One that is kept while others of its group are let go would leave the group with two holders.
    const kept = (one: Known) =>
      group !== "" && one.group === group && one.hiddenUntilMs > this.nowMs && !all.includes(one);
    if (side.truth.alive().some(kept)) return this.receive(side);
    const VisibilityTimeout = this.dice.pick([0, 0, ...visibilities]);
    for (const one of all) this.touched.add(one.body);
    return async () => {
      const handles = all.slice(0, 10).map(({ handle }) => handle);
      const Entries = handles.map((ReceiptHandle, index) => {
        return { Id: `e${index}`, ReceiptHandle, VisibilityTimeout };
      });
      const lost = () => this.lostReceive(side, 30);
      const input = { QueueUrl: url(side.name), Entries };
      const answer = await this.answered(
        this.call<{ Successful?: readonly { readonly Id: string }[] }>(
          "ChangeMessageVisibilityBatch",
          input,
        ),
        lost,
      );
      if (!answer) return;
      for (const { Id } of answer.Successful ?? []) {
        const index = Number(Id.slice(1));
        const one = all[index];
        // Received by somebody else since, it is hidden as that one said.
        if (!one || one.handle !== handles[index]) continue;
        one.hiddenUntilMs = this.nowMs + VisibilityTimeout * 1000;
      }
    };
  }

  /** Dead letters go back; a round of the task stands for its worker. */
  private redrive(): () => Promise<void> {
    return async () => {
      const SourceArn = `arn:aws:sqs:${region}:${accountId}:${this.standard.dead}`;
      const waiting = await this.answered(this.countsOf(this.standard.dead), () => {});
      this.seen.redrives += waiting?.visible ? 1 : 0;
      const start = this.call("StartMessageMoveTask", { SourceArn }).catch((error: unknown) => {
        if (!String(error).includes("already a task running")) throw error;
      });
      await this.answered(start, () => {});
      for (const known of this.standard.truth.alive()) this.touched.add(known.body);
      await this.answered(this.ground.here.moveMessages(), () =>
        this.lostReceive(this.standard, 30),
      );
    };
  }

  private async countsOf(name: string) {
    const { Attributes } = await this.call<{ Attributes: Record<string, string> }>(
      "GetQueueAttributes",
      { QueueUrl: url(name), AttributeNames: ["All"] },
    );
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed),
    };
  }

  /** A queue and its dead letters together: when something dies is the store's to say. */
  private async checkCounts({ name, dead, truth }: Side): Promise<void> {
    if (!truth.isClear(this.nowMs)) return;
    this.seen.countChecks++;
    const [queue, letters] = [await this.countsOf(name), await this.countsOf(dead)];
    assert.deepEqual(
      {
        visible: queue.visible + letters.visible,
        inFlight: queue.inFlight + letters.inFlight,
        delayed: queue.delayed + letters.delayed,
      },
      truth.counts(this.nowMs),
      `counts of ${name}`,
    );
  }

  /** Takes out everything: each message that was acknowledged and not deleted is there, once. */
  async end(): Promise<void> {
    for (const side of [this.standard, this.fifo]) {
      await this.ground.clock.advance(100_000);
      const live = await this.drain(side.name);
      const dead = await this.drain(side.dead);
      this.seen.deadLetters += dead.length;
      const all = [...live, ...dead];
      assert.equal(new Set(all).size, all.length, "nothing is there twice");
      for (const body of all) {
        assert.notEqual(side.truth.require(body).deleted, "yes", `${body} was deleted`);
      }
      for (const known of side.truth.alive()) {
        const there = all.includes(known.body);
        const must = known.sent === "yes" && known.deleted === "no";
        assert.ok(there || !must, `${known.body} was acknowledged and is lost`);
        const misplaced = known.mustBeDead && live.includes(known.body);
        assert.ok(!misplaced, `${known.body} was overtaken and is no dead letter`);
      }
      assert.deepEqual(await this.countsOf(side.name), { visible: 0, inFlight: 0, delayed: 0 });
    }
  }

  private async drain(name: string): Promise<readonly string[]> {
    const bodies: string[] = [];
    for (let empty = 0; empty < 2; ) {
      const { Messages = [] } = await this.call<{ Messages?: readonly Message[] }>(
        "ReceiveMessage",
        { QueueUrl: url(name), MaxNumberOfMessages: 10 },
      );
      empty = Messages.length === 0 ? empty + 1 : 0;
      for (const { Body = "", ReceiptHandle } of Messages) {
        bodies.push(Body);
        await this.call("DeleteMessage", { QueueUrl: url(name), ReceiptHandle });
      }
      if (empty > 0) await this.ground.clock.advance(31_000);
    }
    return bodies;
  }
}
