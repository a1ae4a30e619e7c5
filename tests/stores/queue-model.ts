import type { ClaimMessages, MessageCounts } from "../../src/services/sqs/store.ts";

/** A claim as it was handed out: what later commands name. */
export interface Claim {
  readonly sequence: number;
  /** The model's own word for the place; a message that moved away and back has another. */
  readonly place: number;
  readonly claimId: string;
  readonly visibleAtMs: number;
}

interface ModelMessage {
  place: number;
  messageId: string;
  sentMs: number;
  visibleAtMs: number;
  receiveCount: number;
  firstReceivedMs: number;
  claimId: string;
  claimedMs: number;
  counted: boolean;
  previousClaimId: string;
}

type Seen = Pick<ModelMessage, "place" | "messageId" | "receiveCount" | "firstReceivedMs">;

let places = 0;

function newPlace(): number {
  places += 1;
  return places;
}

/** The slow and plain twin of a stored queue: a list in order of arrival. */
export class QueueModel {
  private messages: ModelMessage[] = [];

  insert(messageId: string, sentMs: number, visibleAtMs: number): void {
    const fresh = { receiveCount: 0, firstReceivedMs: 0, claimedMs: 0, counted: false };
    const unclaimed = { claimId: "", previousClaimId: "" };
    this.messages.push({
      place: newPlace(),
      messageId,
      sentMs,
      visibleAtMs,
      ...fresh,
      ...unclaimed,
    });
  }

  claim(command: ClaimMessages) {
    const { nowMs, retainedSinceMs, receiveCountMax, visibleAgainMs } = command;
    const room = command.inFlightMax - this.counts(nowMs, 0).inFlight;
    const messages: Seen[] = [];
    const exhausted: Seen[] = [];
    if (room <= 0) return { messages, exhausted, overLimit: true };
    const limit = Math.min(command.count, room);
    const candidates = this.messages
      .filter((message) => message.visibleAtMs <= nowMs && message.sentMs >= retainedSinceMs)
      .toSorted((a, b) => a.visibleAtMs - b.visibleAtMs);
    let examined = limit;
    for (const message of candidates) {
      // It looks in rounds, another one to make up for exhausted messages; but not where what it
      // took is visible again at once and would come back.
      const roundOver = examined <= 0;
      if (messages.length === limit) break;
      if (roundOver && visibleAgainMs <= nowMs && messages.length > 0) break;
      if (roundOver) examined = limit - messages.length;
      examined -= 1;
      const counted = message.receiveCount < (receiveCountMax ?? Number.POSITIVE_INFINITY);
      message.previousClaimId = message.claimId;
      message.claimId = command.claimId;
      message.claimedMs = nowMs;
      message.counted = counted;
      if (message.receiveCount === 0) message.firstReceivedMs = nowMs;
      if (counted) message.receiveCount += 1;
      message.visibleAtMs = counted ? visibleAgainMs : Math.max(visibleAgainMs, nowMs + 30_000);
      (counted ? messages : exhausted).push({ ...message });
    }
    return { messages, exhausted, overLimit: false };
  }

  unclaim({ place, claimId, visibleAtMs }: Claim): void {
    const message = this.find(place);
    if (message?.claimId !== claimId) return;
    message.visibleAtMs = visibleAtMs;
    if (message.counted) message.receiveCount -= 1;
    if (message.receiveCount === 0) message.firstReceivedMs = 0;
    message.claimId = message.previousClaimId;
    message.previousClaimId = "";
    message.counted = false;
  }

  delete({ place, claimId }: Claim): "deleted" | "absent" | "superseded" {
    const message = this.find(place);
    if (message === undefined) return "absent";
    if (message.claimId !== claimId) return "superseded";
    this.messages = this.messages.filter((other) => other !== message);
    return "deleted";
  }

  changeVisibility({ place, claimId }: Claim, visibleAtMs: number, heldMsMax: number): string {
    const message = this.find(place);
    if (message === undefined) return "absent";
    if (message.claimId !== claimId) return "superseded";
    if (visibleAtMs > message.claimedMs + heldMsMax) return "beyond-limit";
    message.visibleAtMs = visibleAtMs;
    return "changed";
  }

  moveTo(to: QueueModel, claim: Claim, nowMs: number): number {
    const message = this.find(claim.place);
    if (message === undefined || this.delete(claim) !== "deleted") return 0;
    const unclaimed = { claimId: "", previousClaimId: "", counted: false };
    const place = newPlace();
    to.messages.push({ ...message, ...unclaimed, place, visibleAtMs: nowMs });
    return 1;
  }

  expire(sentBeforeMs: number, rowsMax: number): { removed: number; more: boolean } {
    const old = this.messages
      .filter((message) => message.sentMs < sentBeforeMs)
      .toSorted((a, b) => a.sentMs - b.sentMs)
      .slice(0, rowsMax);
    this.messages = this.messages.filter((message) => !old.includes(message));
    return { removed: old.length, more: old.length === rowsMax };
  }

  counts(nowMs: number, retainedSinceMs: number): MessageCounts {
    const kept = this.messages.filter((message) => message.sentMs >= retainedSinceMs);
    const hidden = kept.filter((message) => message.visibleAtMs > nowMs);
    const inFlight = hidden.filter((message) => message.receiveCount > 0).length;
    const visible = kept.length - hidden.length;
    return { visible, inFlight, delayed: hidden.length - inFlight };
  }

  nextVisible(nowMs: number): number | undefined {
    const hidden = this.messages.filter((message) => message.visibleAtMs > nowMs);
    return hidden.length === 0 ? undefined : Math.min(...hidden.map((it) => it.visibleAtMs));
  }

  private find(place: number): ModelMessage | undefined {
    return this.messages.find((message) => message.place === place);
  }
}
