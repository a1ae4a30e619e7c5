import type { Call } from "../../kernel/call.ts";
import { giveBack } from "../../kernel/memory.ts";
import type { Outcome } from "../../kernel/operation.ts";
import { isSealed, type Sealed, type Unsealed } from "../../kernel/sealed.ts";
import type { SealedBodies, SealingPlace } from "../../kernel/sealer.ts";
import { inStep, isPromise, type Soon, soon } from "../../kernel/soon.ts";
import { kmsRefusal } from "./kms-errors.ts";
import type { Draft } from "./message.ts";
import type { FifoIds } from "./message-ids.ts";
import type { SqsContext } from "./ports.ts";
import type { Queue } from "./queue.ts";
import { senderId } from "./sender.ts";
import type { InsertMessages, NewMessage } from "./store.ts";

/**
 * Sent messages, in the order of their drafts, and what makes them durable, if anything is left.
 */
export interface Sent extends Pick<Outcome<unknown>, "commands" | "committed"> {
  readonly messages: readonly SentMessage[];
}

export interface SentMessage {
  readonly messageId: string;
  /** Of a FIFO queue. */
  readonly sequenceNumber?: string;
}

/**
 * Seals drafts as the caller and makes the commands that put them in the queue. Throws the KMS
 * refusal of SQS if the queue's key may not be used.
 *
 * A FIFO queue answers what only the store knows, so there the commit is done already. Not so for a
 * service (SNS): its commit is one with others, and it gets no sequence numbers.
 */
export function send(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
): Soon<Sent> {
  if (call.caller.kind === "service") return sealAndPrepare(context, call, queue, drafts);
  return sendForClient(context, call, queue, drafts);
}

async function sendForClient(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
): Promise<Sent> {
  await inStep();
  const made = sealAndPrepare(context, call, queue, drafts);
  const prepared = isPromise(made) ? await made : made;
  return queue.fifo ? sendAtOnce(context, call, queue, drafts, prepared) : prepared;
}

function sealAndPrepare(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
): Soon<Prepared> {
  return soon(seal(context, call, queue, drafts), (bodies) =>
    prepare(context, call, queue, drafts, bodies),
  );
}

async function sendAtOnce(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
  { insert, dataKeys, committed }: Prepared,
): Promise<Sent> {
  const [placed = []] = await call.commit([insert, ...dataKeys]);
  committed();
  const duplicates = drafts.filter((_, index) => placed[index]?.duplicate);
  // AWS: sent are those that were added to the queue.
  context.metrics.count(queue, "NumberOfMessagesSent", -duplicates.length);
  context.metrics.count(queue, "SentMessageSize", -sizeOf(duplicates));
  context.metrics.count(queue, "NumberOfDeduplicatedSentMessages", duplicates.length);
  return {
    messages: placed.map(({ messageId, sequence }) => {
      return { messageId, sequenceNumber: sequenceNumberOf(sequence) };
    }),
  };
}

/** AWS: 20 digits that rise within a group. */
export function sequenceNumberOf(sequence: number): string {
  return String(sequenceBase + BigInt(sequence));
}

const sequenceBase = 18_800_000_000_000_000_000n;

type BodiesToStore = SealedBodies<Sealed | Unsealed>;

/** Who seals a body authenticates its place. */
const unplaced = new Uint8Array(0);

type Prepared = ReturnType<typeof prepare>;

function prepare(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
  bodies: BodiesToStore,
) {
  const sender = senderId(call);
  const messages = drafts.map((draft, index): NewMessage => {
    const sealed = bodies.sealed[index];
    if (!sealed) throw new Error("the sealer left a body out");
    const messageId = context.random.uuid();
    return {
      messageId,
      sealed,
      placeMac: isSealed(sealed)
        ? context.places.make(queue.identity.queueId, messageId, sealed.bytes)
        : unplaced,
      attributes: draft.attributes,
      systemAttributes: draft.systemAttributes,
      senderId: sender,
      sentMs: call.now,
      visibleAtMs: call.now + draft.delayMs,
      sizeBytes: draft.sizeBytes,
      groupId: draft.groupId === "" ? undefined : draft.groupId,
      deduplication: draft.fifo && digestsOf(context, queue, draft.fifo, call.now),
    };
  });
  const insert = insertInto(queue, messages, call.now);
  return {
    messages: messages satisfies readonly SentMessage[],
    insert,
    dataKeys: bodies.commands,
    commands: bodies.commands.length > 0 ? [...bodies.commands, insert] : [insert],
    committed() {
      bodies.stored();
      // The store has them.
      for (const sealed of bodies.sealed) if (isSealed(sealed)) giveBack(sealed.bytes);
      for (const draft of drafts) draft.stored();
      announce(context, queue, drafts, call.now);
    },
  };
}

/** AWS: how long a send is remembered. */
export const rememberMs = 300_000;

function insertInto(queue: Queue, messages: readonly NewMessage[], nowMs: number): InsertMessages {
  const { identity, fifo } = queue;
  const insert: InsertMessages = { kind: "sqs.insert", queue: identity, messages };
  if (!fifo) return insert;
  return { ...insert, fifo: { historyId: fifo.historyId, nowMs, rememberMs } };
}

function digestsOf(context: SqsContext, { fifo }: Queue, ids: FifoIds, nowMs: number) {
  const group = fifo?.dedupesPerGroup(nowMs) ? ids.groupId : "";
  return context.digests.of(JSON.stringify([fifo?.historyId, group, ids.deduplicationId]));
}

function seal(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
): Soon<BodiesToStore> {
  const place = placeOf(queue, context.options.requireDecryptToSend);
  const bodies = drafts.map((draft) => draft.body);
  const sealed = context.sealer.sealForStore(call, place, bodies);
  if (!isPromise(sealed)) return sealed;
  return sealed.catch((error: unknown) => {
    throw kmsRefusal(error, context.random) ?? error;
  });
}

function placeOf({ sealing }: Queue, requireDecrypt: boolean): SealingPlace {
  const { encryption } = sealing;
  if (!requireDecrypt || encryption.mode !== "kms") return sealing;
  return { ...sealing, encryption: { ...encryption, requireDecrypt } };
}

function sizeOf(drafts: readonly Draft[]): number {
  return drafts.reduce((sum, draft) => sum + draft.sizeBytes, 0);
}

function announce(context: SqsContext, queue: Queue, drafts: readonly Draft[], sentMs: number) {
  const { queueId } = queue.identity;
  context.metrics.count(queue, "NumberOfMessagesSent", drafts.length);
  context.metrics.count(queue, "SentMessageSize", sizeOf(drafts));
  let visible = 0;
  for (const { delayMs } of drafts) {
    if (delayMs === 0) visible++;
    else context.waiters.due(queueId, sentMs + delayMs);
  }
  if (visible > 0) context.waiters.wake(queueId, visible);
}
