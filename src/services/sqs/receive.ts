import type { Call } from "../../kernel/call.ts";
import { Fault, Refusal } from "../../kernel/errors.ts";
import type { Opened, SealedRow } from "../../kernel/sealer.ts";
import { kmsRefusal } from "./kms-errors.ts";
import type { SqsContext } from "./ports.ts";
import { findQueue, type Queue } from "./queue.ts";
import type {
  ClaimedMessage,
  ClaimMessages,
  ClaimResult,
  MoveMessages,
  UnclaimMessages,
} from "./store.ts";

/** AWS: in-flight messages of a standard queue. */
const inFlightMax = 120_000;
/** Claims in one look: each but the last met only messages to be moved or that do not open. */
const claimsMax = 100;
/** Claims in one look that KMS refused as a whole: past them there may be messages that open. */
const refusedClaimsMax = 10;

export interface ReceiveWish {
  readonly count: number;
  readonly visibilityMs: number;
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
  /** As many were claimed as wished: there may be more. */
  readonly full: boolean;
  /** Too many messages in flight. */
  readonly overLimit: boolean;
}

/**
 * Claims messages and opens them as the caller; what was received too often moves to the
 * dead-letter queue. If KMS lets none of a claim be opened, the next messages are tried, so that
 * those under a disabled key keep nobody from the others; in the end their visibility and counts
 * are as before. If none at all opens, SQS's KMS refusal is thrown. If some of a claim open, these
 * come back and the others of it stay claimed.
 */
export async function look(
  context: SqsContext,
  call: Call,
  queue: Queue,
  wish: ReceiveWish,
): Promise<Look> {
  const refused: Withheld[] = [];
  let seen: Look;
  try {
    seen = await lookPast(context, call, queue, wish, refused);
  } finally {
    if (refused.length > 0) await unclaim(context, call, queue, refused);
  }
  const [first] = refused;
  if (seen.messages.length > 0 || !first) return seen;
  throw kmsRefusal(first.error, context.random) ?? first.error;
}

/** A message that is sound but that KMS did not let open now. */
interface Withheld {
  readonly message: ClaimedMessage;
  readonly claimId: string;
  readonly error: Error;
}

/** Claims until something opens or nothing is left; adds to `refused` what is to be given back. */
async function lookPast(
  context: SqsContext,
  call: Call,
  queue: Queue,
  wish: ReceiveWish,
  refused: Withheld[],
): Promise<Look> {
  const target = await deadLetterTarget(call, queue);
  let refusedClaims = 0;
  for (let claims = 1; ; claims++) {
    const nowMs = context.clock.now();
    const claim = claimOf(context, queue, wish, target && queue.redrive, nowMs);
    const [result] = await call.commit([claim]);
    const claimed = result.messages.length + result.exhausted.length;
    if (claimed > 0) context.waiters.due(queue.identity.queueId, claim.visibleAgainMs);
    const moved =
      target && result.exhausted.length > 0
        ? moveExhausted(context, call, queue, target, result, claim)
        : undefined;
    const { messages, withheld } = await openClaimed(context, call, queue, result, claim);
    await moved;
    if (messages.length === 0 && withheld.length > 0) {
      refused.push(...withheld);
      refusedClaims++;
    }
    // Without a visibility timeout the next claim would only meet the same messages.
    const again = wish.visibilityMs > 0 || result.messages.length === 0;
    const onward = again && claims < claimsMax && refusedClaims < refusedClaimsMax;
    if (messages.length === 0 && claimed > 0 && onward) continue;
    const full = claimed >= wish.count;
    return { messages, lookedAtMs: nowMs, full, overLimit: result.overLimit };
  }
}

/** A dead-letter queue that was deleted since keeps nothing back: messages are received on. */
async function deadLetterTarget(call: Call, queue: Queue): Promise<Queue | undefined> {
  return queue.redrive && findQueue(call.records, queue.scope, queue.redrive.targetName);
}

function claimOf(
  context: SqsContext,
  queue: Queue,
  wish: ReceiveWish,
  redrive: Queue["redrive"],
  nowMs: number,
): ClaimMessages {
  return {
    kind: "sqs.claim",
    queue: queue.identity,
    nowMs,
    count: wish.count,
    visibleAgainMs: nowMs + wish.visibilityMs,
    retainedSinceMs: nowMs - queue.retentionMs,
    claimId: context.random.bytes(8).toString("hex"),
    inFlightMax,
    receiveCountMax: redrive?.receiveCountMax,
  };
}

async function openClaimed(
  context: SqsContext,
  call: Call,
  queue: Queue,
  result: ClaimResult,
  claim: ClaimMessages,
): Promise<{ messages: readonly ReceivedMessage[]; withheld: readonly Withheld[] }> {
  if (result.messages.length === 0) return { messages: [], withheld: [] };
  const readable: ClaimedMessage[] = [];
  const rows: SealedRow[] = [];
  for (const message of result.messages) {
    const row = sealedRow(context, queue, result, message);
    if (!row) continue;
    readable.push(message);
    rows.push(row);
  }
  const opened = await context.sealer.open(call, queue.opening, rows);
  const messages: ReceivedMessage[] = [];
  const withheld: Withheld[] = [];
  const { claimId } = claim;
  for (const [index, message] of readable.entries()) {
    const answer = opened[index];
    if (answer?.ok) messages.push({ claimed: message, claimId, body: answer.body });
    else if (isPassing(context, answer)) withheld.push({ message, claimId, error: answer.error });
    else reportUnopenable(context, queue, message);
  }
  return { messages, withheld };
}

/** undefined: the row is not where it was put, or its data key is gone. It stays claimed. */
function sealedRow(
  context: SqsContext,
  queue: Queue,
  result: ClaimResult,
  message: ClaimedMessage,
): SealedRow | undefined {
  const { messageId, bytes, placeMac, dataKeyId } = message;
  const dataKey = result.dataKeys.find((stored) => stored.id === dataKeyId);
  const inPlace = context.places.verify(queue.identity.queueId, messageId, bytes, placeMac);
  if (dataKey && inPlace) return { bytes, dataKey };
  reportUnopenable(context, queue, message);
  return undefined;
}

/** Faults of the message itself. A record of its key that is not authentic is none of them. */
const ofTheMessage: ReadonlySet<string> = new Set([
  "body-authentication",
  "data-key-authentication",
]);

/**
 * Whether the message itself is sound and may open another time: KMS refused, or could not be
 * reached. A body or data key that is not authentic never will.
 */
function isPassing(
  context: SqsContext,
  answer: Opened | undefined,
): answer is Extract<Opened, { ok: false }> {
  if (!answer || answer.ok) return false;
  const { error } = answer;
  if (error instanceof Fault) return !ofTheMessage.has(error.kind);
  return !(error instanceof Refusal) || kmsRefusal(error, context.random) !== undefined;
}

function reportUnopenable(context: SqsContext, queue: Queue, message: ClaimedMessage): void {
  context.log.error("a stored message does not open; it is withheld", {
    queueArn: queue.arn,
    messageId: message.messageId,
    dataKeyId: message.dataKeyId,
  });
}

/** Undoes a claim, whatever changed in the configuration meanwhile. */
export async function giveBack(
  context: SqsContext,
  call: Call,
  queue: Queue,
  claimId: string,
  messages: readonly ClaimedMessage[],
): Promise<void> {
  await unclaim(
    context,
    call,
    queue,
    messages.map((message) => ({ message, claimId })),
  );
}

async function unclaim(
  context: SqsContext,
  call: Call,
  queue: Queue,
  claimed: readonly Pick<Withheld, "message" | "claimId">[],
): Promise<void> {
  const command: UnclaimMessages = {
    kind: "sqs.unclaim",
    queue: queue.identity,
    messages: claimed.map(({ message: { sequence, visibleAtMs }, claimId }) => ({
      sequence,
      claimId,
      visibleAtMs,
    })),
  };
  await call.commit([command], { unconditional: true });
  context.waiters.wake(queue.identity.queueId, claimed.length);
}

/** A failed move costs nothing: the messages become visible again and are moved then. */
async function moveExhausted(
  context: SqsContext,
  call: Call,
  queue: Queue,
  target: Queue,
  { exhausted }: ClaimResult,
  { claimId, nowMs }: ClaimMessages,
): Promise<void> {
  const sound = exhausted.filter(({ messageId, bytes, placeMac }) =>
    // INVARIANT: a new MAC is given only to what has a good one.
    context.places.verify(queue.identity.queueId, messageId, bytes, placeMac),
  );
  for (const message of exhausted) {
    if (!sound.includes(message)) reportUnopenable(context, queue, message);
  }
  if (sound.length === 0) return;
  const move: MoveMessages = {
    kind: "sqs.move",
    from: queue.identity,
    to: target.identity,
    nowMs,
    messages: sound.map(({ sequence, messageId, bytes }) => ({
      sequence,
      claimId,
      placeMac: context.places.make(target.identity.queueId, messageId, bytes),
      deadLetterSourceArn: queue.arn,
    })),
  };
  try {
    const [{ moved }] = await call.commit([move], { unconditional: true });
    context.waiters.wake(target.identity.queueId, moved);
  } catch (error) {
    context.log.error("messages could not be moved to the dead-letter queue", {
      queueArn: queue.arn,
      error: String(error),
    });
  }
}
