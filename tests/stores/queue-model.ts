import type { ClaimMessages, MessageCounts } from "../../src/services/sqs/store.ts";

/** A claim as it was handed out: what later commands name. */
export interface Claim {
  readonly sequence: number;
  readonly messageId: string;
  readonly claimId: string;
  readonly visibleAtMs: number;
}

interface ModelMessage {
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

type Seen = Pick<ModelMessage, "messageId" | "receiveCount" | "firstReceivedMs">;

/** The slow and plain twin of a stored queue: a list in order of arrival. */
export class QueueModel {
  private messages: ModelMessage[] = [];

  insert(messageId: string, sentMs: number, visibleAtMs: number): void {
    const fresh = { receiveCount: 0, firstReceivedMs: 0, claimedMs: 0, counted: false };
    const unclaimed = { claimId: "", previousClaimId: "" };
    this.messages.push({ messageId, sentMs, visibleAtMs, ...fresh, ...unclaimed });
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
      // A claim whose messages are visible at once looks no further than its first round.
      const single = visibleAgainMs <= nowMs && messages.length > 0 && examined <= 0;
      if (messages.length === limit || single) break;
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

  unclaim({ messageId, claimId, visibleAtMs }: Claim): void {
    const message = this.find(messageId);
    if (message?.claimId !== claimId) return;
    message.visibleAtMs = visibleAtMs;
    if (message.counted) message.receiveCount -= 1;
    if (message.receiveCount === 0) message.firstReceivedMs = 0;
    message.claimId = message.previousClaimId;
    message.previousClaimId = "";
    message.counted = false;
  }

  delete({ messageId, claimId }: Claim): "deleted" | "absent" | "superseded" {
    const message = this.find(messageId);
    if (message === undefined) return "absent";
    if (message.claimId !== claimId) return "superseded";
    this.messages = this.messages.filter((other) => other !== message);
    return "deleted";
  }

  changeVisibility({ messageId, claimId }: Claim, visibleAtMs: number, heldMsMax: number): string {
    const message = this.find(messageId);
    if (message === undefined) return "absent";
    if (message.claimId !== claimId) return "superseded";
    if (visibleAtMs > message.claimedMs + heldMsMax) return "beyond-limit";
    message.visibleAtMs = visibleAtMs;
    return "changed";
  }

  moveTo(to: QueueModel, claim: Claim, nowMs: number): number {
    const message = this.find(claim.messageId);
    if (message === undefined || this.delete(claim) !== "deleted") return 0;
    const unclaimed = { claimId: "", previousClaimId: "", counted: false };
    to.messages.push({ ...message, ...unclaimed, visibleAtMs: nowMs });
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

  private find(messageId: string): ModelMessage | undefined {
    return this.messages.find((message) => message.messageId === messageId);
  }
}
