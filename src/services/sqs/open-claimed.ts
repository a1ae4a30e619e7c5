import type { Call } from "../../kernel/call.ts";
import { Fault, Refusal } from "../../kernel/errors.ts";
import { unpackGapped, withGapFilled } from "../../kernel/gapped.ts";
import type { StoredDataKey } from "../../kernel/sealed.ts";
import type { Opened, SealedRow } from "../../kernel/sealer.ts";
import { kmsRefusal } from "./kms-errors.ts";
import type { SqsContext } from "./ports.ts";
import type { Queue } from "./queue.ts";
import type { ClaimedMessage, ClaimResult } from "./store.ts";

export interface Withheld {
  readonly claimed: ClaimedMessage;
  readonly error: Error;
  /** Its KMS key is no more: no consumer will open it, ever. */
  readonly gone: boolean;
}

/** What KMS said of a data key. */
export type RefusedKey = Pick<Withheld, "error" | "gone">;

export interface OpenedClaim {
  readonly received: readonly { readonly claimed: ClaimedMessage; readonly body: Buffer }[];
  /** Sound messages that may open another time: KMS refused, or could not be reached. */
  readonly withheld: readonly Withheld[];
  /** FIFO: messages of a group behind one that did not open; order keeps them back. */
  readonly behind: readonly ClaimedMessage[];
}

/**
 * Opens what was claimed, as the caller. `refused` remembers over several claims which data keys
 * KMS did not open. What never will open (a row put elsewhere, a damaged body) is reported, stays
 * claimed, and is in no list.
 */
export async function openClaimed(
  context: SqsContext,
  call: Call,
  queue: Queue,
  result: ClaimResult,
  refused: Map<string, RefusedKey>,
): Promise<OpenedClaim> {
  const opened = await open(context, call, queue, result, refused);
  if (!queue.fifo || opened.received.length === result.messages.length) {
    return { ...opened, behind: [] };
  }
  const good = new Set(opened.received.map(({ claimed }) => claimed));
  const closed = new Set<string>();
  const behind = result.messages.filter((message) => {
    if (closed.has(message.groupId)) return true;
    if (!good.has(message)) closed.add(message.groupId);
    return false;
  });
  return {
    received: opened.received.filter(({ claimed }) => !behind.includes(claimed)),
    withheld: opened.withheld.filter(({ claimed }) => !behind.includes(claimed)),
    behind,
  };
}

async function open(
  context: SqsContext,
  call: Call,
  queue: Queue,
  result: ClaimResult,
  refused: Map<string, RefusedKey>,
): Promise<Omit<OpenedClaim, "behind">> {
  const received: { claimed: ClaimedMessage; body: Buffer }[] = [];
  const withheld: Withheld[] = [];
  const readable: ClaimedMessage[] = [];
  const rows: SealedRow[] = [];
  for (const claimed of result.messages) {
    const known = refused.get(claimed.dataKeyId);
    const row = known ? undefined : sealedRow(context, queue, result, claimed);
    if (known) withheld.push({ claimed, ...known });
    if (!row) continue;
    readable.push(claimed);
    rows.push(row);
  }
  if (rows.length === 0) return { received, withheld };
  const sealed = await context.sealer.open(call, queue.opening, rows);
  const opened = await Promise.all(sealed.map((answer) => completed(context, answer)));
  for (const [index, claimed] of readable.entries()) {
    const answer = opened[index];
    if (answer?.ok) received.push({ claimed, body: answer.body });
    else if (isPassing(context, answer)) {
      const { error } = answer;
      const gone = await isGone(context, call, rows[index]?.dataKey, error);
      if (error instanceof Refusal) refused.set(claimed.dataKeyId, { error, gone });
      withheld.push({ claimed, error, gone });
    } else reportUnopenable(context, queue, claimed);
  }
  return { received, withheld };
}

/** A body with a gap is nobody's to see: where it cannot be filled now, the message did not open. */
async function completed({ fillGap }: SqsContext, answer: Opened): Promise<Opened> {
  const gapped = answer.ok ? unpackGapped(answer.body) : undefined;
  if (!gapped) return answer;
  try {
    return { ok: true, body: withGapFilled(gapped, await fillGap(gapped)) };
  } catch (error) {
    if (error instanceof Error) return { ok: false, error };
    throw error;
  }
}

async function isGone(
  { sealingKeys }: SqsContext,
  { records }: Call,
  dataKey: StoredDataKey | undefined,
  error: Error,
): Promise<boolean> {
  if (!(error instanceof Refusal) || dataKey?.mode !== "kms") return false;
  return sealingKeys.isGone(records, dataKey.keyArn);
}

/** undefined: the row is not where it was put, or its data key is gone. It stays claimed. */
function sealedRow(
  context: SqsContext,
  queue: Queue,
  result: ClaimResult,
  message: ClaimedMessage,
): SealedRow | undefined {
  const { bytes, dataKeyId } = message;
  const dataKey = result.dataKeys.find((stored) => stored.id === dataKeyId);
  if (dataKey && isInPlace(context, queue, message)) return { bytes, dataKey };
  reportUnopenable(context, queue, message);
  return undefined;
}

/** Whether the message lies where this server put it. */
export function isInPlace(context: SqsContext, queue: Queue, message: ClaimedMessage): boolean {
  const { messageId, bytes, placeMac } = message;
  return context.places.verify(queue.identity.queueId, messageId, bytes, placeMac);
}

/** Faults of the message itself; a record of its key that is not authentic is none of them. */
const ofTheMessage: ReadonlySet<string> = new Set([
  "body-authentication",
  "data-key-authentication",
]);

/**
 * Whether the message itself is sound and may open another time. A body or data key that is not
 * authentic never will.
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

export function reportUnopenable(context: SqsContext, queue: Queue, message: ClaimedMessage): void {
  context.log.error("a stored message does not open; it is withheld", {
    queueArn: queue.arn,
    messageId: message.messageId,
    dataKeyId: message.dataKeyId,
  });
}
