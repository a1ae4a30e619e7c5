import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import { deadLetterTarget, moveExhausted } from "./exhausted.ts";
import { kmsRefusal } from "./kms-errors.ts";
import { openClaimed, type RefusedKey, type Withheld } from "./open-claimed.ts";
import type { SqsContext } from "./ports.ts";
import type { Queue } from "./queue.ts";
import { rememberMs } from "./send.ts";
import type { ClaimedMessage, ClaimMessages, UnclaimMessages } from "./store.ts";

/** AWS: in-flight messages of a queue. */
const inFlightMax = 120_000;
/** Claims in one look: each but the last met only messages to be moved or that never open. */
const claimsMax = 100;
/** Claims in one look of which KMS let nothing be opened. */
const refusedClaimsMax = 8;

export interface ReceiveWish {
  readonly count: number;
  readonly visibilityMs: number;
  readonly attemptId: string | undefined;
}

export interface ReceivedMessage {
  readonly claimed: ClaimedMessage;
  readonly claimId: string;
  readonly body: Buffer;
}

export interface Look {
  readonly messages: readonly ReceivedMessage[];
  /** Service time of the last claim. */
  readonly lookedAtMs: number;
  /** As many were claimed as were asked for: there may be more. */
  readonly full: boolean;
  /** Too many messages in flight. */
  readonly overLimit: boolean;
  /** What an earlier receive claimed under the same attempt id: not this one's to give back. */
  readonly repeated: boolean;
}

type WithheldMessage = Withheld & { readonly claimId: string };

/**
 * Claims messages and opens them as the caller; what was received too often moves to the
 * dead-letter queue. If KMS refuses all of a claim, others are looked for: one bad message never
 * blocks a queue. If any open, they come back, and what KMS refused on the way to them stays
 * claimed and counts a receive. If none do, SQS's KMS refusal is thrown and the claims are undone: visible
 * again, uncounted, behind the others. What never opens again stays claimed and counts in any case
 * (docs/decisions/0013).
 */
export async function look(
  context: SqsContext,
  call: Call,
  queue: Queue,
  wish: ReceiveWish,
): Promise<Look> {
  const target = await deadLetterTarget(call, queue);
  const withheld: WithheldMessage[] = [];
  const refused = new Map<string, RefusedKey>();
  let refusedClaims = 0;
  for (let claims = 1; ; claims++) {
    const claim = claimOf(context, queue, wish, target && queue.redrive);
    const [result] = await call.commit([claim]);
    context.claimSizes.saw(queue.identity.queueId, result.messages);
    const claimId = result.repeatedClaimId ?? claim.claimId;
    const repeated = result.repeatedClaimId !== undefined;
    const claimed = result.messages.length + result.exhausted.length;
    if (claimed > 0) context.waiters.due(queue.identity.queueId, claim.visibleAgainMs);
    const moved = target && moveExhausted(context, call, queue, target, result.exhausted, claim);
    const opened = await openClaimed(context, call, queue, result, refused);
    await moved;
    if (opened.behind.length > 0 && !repeated) {
      await giveBack(context, call, queue, claimId, opened.behind);
    }
    const facts = { lookedAtMs: claim.nowMs, full: claimed >= claim.count, repeated };
    const { overLimit } = result;
    const messages = opened.received.map((message) => ({ ...message, claimId }));
    for (const one of opened.withheld) withheld.push({ ...one, claimId });
    if (messages.length > 0) {
      if (!repeated) await giveBackWithheld(context, call, queue, withheld.filter(isPassing));
      return { messages, overLimit, ...facts };
    }
    if (opened.withheld.length > 0) refusedClaims++;
    const hopeless = opened.withheld.some(({ error }) => !(error instanceof Refusal));
    // Without a visibility timeout the next claim would only meet the same messages.
    const same = wish.visibilityMs === 0 && result.messages.length > 0;
    const last = claimed === 0 || claims >= claimsMax || refusedClaims >= refusedClaimsMax;
    if (last || same || repeated || hopeless) {
      const undone = withheld.filter(({ gone }) => !gone);
      if (!repeated) await giveBackWithheld(context, call, queue, undone);
      const [first] = withheld;
      if (first) throw kmsRefusal(first.error, context.random) ?? first.error;
      return { messages, overLimit, ...facts };
    }
  }
}

/** Nobody's decision: KMS could not be reached, or had too much to do. */
function isPassing({ error }: Withheld): boolean {
  return !(error instanceof Refusal) || error.code === "ThrottlingException";
}

function claimOf(
  context: SqsContext,
  queue: Queue,
  wish: ReceiveWish,
  redrive: Queue["redrive"],
): ClaimMessages {
  const nowMs = context.clock.now();
  const claim: ClaimMessages = {
    kind: "sqs.claim",
    queue: queue.identity,
    nowMs,
    count: context.claimSizes.countFor(queue.identity.queueId, wish.count),
    visibleAgainMs: nowMs + wish.visibilityMs,
    retainedSinceMs: nowMs - queue.retentionMs,
    claimId: context.random.bytes(8).toString("hex"),
    inFlightMax,
    receiveCountMax: redrive?.receiveCountMax,
  };
  if (!queue.fifo) return claim;
  return { ...claim, fifo: { attemptId: wish.attemptId, attemptMs: rememberMs } };
}

/** They go behind the other visible messages, so that the next receive meets these first. */
async function giveBackWithheld(
  context: SqsContext,
  call: Call,
  queue: Queue,
  withheld: readonly WithheldMessage[],
): Promise<void> {
  if (withheld.length === 0) return;
  const visibleAtMs = context.clock.now();
  await unclaim(
    context,
    call,
    queue,
    withheld.map(({ claimed: { sequence }, claimId }) => ({ sequence, claimId, visibleAtMs })),
  );
}

/** Undoes the claim of messages that reached nobody. */
export function giveBack(
  context: SqsContext,
  call: Call,
  queue: Queue,
  claimId: string,
  messages: readonly ClaimedMessage[],
): Promise<void> {
  return unclaim(
    context,
    call,
    queue,
    messages.map(({ sequence, visibleAtMs }) => ({ sequence, claimId, visibleAtMs })),
  );
}

/** Undoes a claim, whatever changed in the configuration meanwhile. */
async function unclaim(
  context: SqsContext,
  call: Call,
  queue: Queue,
  messages: UnclaimMessages["messages"],
): Promise<void> {
  const command: UnclaimMessages = { kind: "sqs.unclaim", queue: queue.identity, messages };
  await call.commit([command], { unconditional: true });
  context.waiters.wake(queue.identity.queueId, messages.length);
}
