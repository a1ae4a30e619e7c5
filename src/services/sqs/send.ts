import type { Call } from "../../kernel/call.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { SealedBodies, SealingPlace } from "../../kernel/sealer.ts";
import { kmsRefusal } from "./kms-errors.ts";
import type { Draft } from "./message.ts";
import type { SqsContext } from "./ports.ts";
import type { Queue } from "./queue.ts";
import { senderId } from "./sender.ts";
import type { InsertMessages, NewMessage } from "./store.ts";

/** Sent messages, in the order of their drafts, and what makes them durable. */
export interface Sent extends Required<Pick<Outcome<unknown>, "commands" | "committed">> {
  readonly messageIds: readonly string[];
}

/**
 * Seals drafts as the caller and makes the commands that put them in the queue. Throws the KMS
 * refusal of SQS if the queue's key may not be used.
 */
export async function send(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
): Promise<Sent> {
  const bodies = await seal(context, call, queue, drafts);
  const sender = senderId(call);
  const messages = drafts.map((draft, index): NewMessage => {
    const sealed = bodies.sealed[index];
    if (!sealed) throw new Error("the sealer left a body out");
    const messageId = context.random.uuid();
    return {
      messageId,
      sealed,
      placeMac: context.places.make(queue.identity.queueId, messageId, sealed.bytes),
      attributes: draft.attributes,
      systemAttributes: draft.systemAttributes,
      senderId: sender,
      sentMs: call.now,
      visibleAtMs: call.now + draft.delayMs,
      sizeBytes: draft.sizeBytes,
    };
  });
  const insert: InsertMessages = { kind: "sqs.insert", queue: queue.identity, messages };
  return {
    messageIds: messages.map((message) => message.messageId),
    commands: [...bodies.commands, insert],
    committed() {
      bodies.stored();
      announce(context, queue, drafts, call.now);
    },
  };
}

async function seal(
  context: SqsContext,
  call: Call,
  queue: Queue,
  drafts: readonly Draft[],
): Promise<SealedBodies> {
  try {
    const place = placeOf(queue, context.options.requireDecryptToSend);
    return await context.sealer.seal(
      call,
      place,
      drafts.map((draft) => draft.body),
    );
  } catch (error) {
    throw kmsRefusal(error, context.random) ?? error;
  }
}

function placeOf({ sealing }: Queue, requireDecrypt: boolean): SealingPlace {
  const { encryption } = sealing;
  if (!requireDecrypt || encryption.mode !== "kms") return sealing;
  return { ...sealing, encryption: { ...encryption, requireDecrypt } };
}

function announce(context: SqsContext, queue: Queue, drafts: readonly Draft[], sentMs: number) {
  const { queueId } = queue.identity;
  let visible = 0;
  for (const { delayMs } of drafts) {
    if (delayMs === 0) visible++;
    else context.waiters.due(queueId, sentMs + delayMs);
  }
  if (visible > 0) context.waiters.wake(queueId, visible);
}
