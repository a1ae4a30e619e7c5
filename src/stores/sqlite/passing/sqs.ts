import { assert } from "../../../kernel/errors.ts";
import type { StoredDataKey } from "../../../kernel/sealed.ts";
import type {
  ClaimedMessage,
  ClaimMessages,
  ClaimResult,
  DeleteMessages,
  DeleteResult,
  FifoClaim,
  FifoInsert,
  InsertMessages,
  MessageClaim,
  NewMessage,
  PlacedMessage,
  QueueIdentity,
} from "../../../services/sqs/store.ts";
import {
  bytes,
  type Form,
  number,
  readList,
  readOptional,
  text,
  writeList,
  writeOptional,
} from "./form.ts";
import type { Incoming } from "./incoming.ts";
import { newBody } from "./new-body.ts";
import type { Outgoing } from "./outgoing.ts";

const queue: Form<QueueIdentity> = {
  write(to, { accountId, region, queueId }) {
    to.name(accountId);
    to.name(region);
    to.name(queueId);
  },
  read: (from) => ({ accountId: from.name(), region: from.name(), queueId: from.name() }),
};

const digests: Form<readonly Uint8Array[]> = {
  write: (to, value) => writeList(to, bytes, value),
  read: (from) => readList(from, bytes),
};

const newMessage = {
  write(to: Outgoing, it: NewMessage): void {
    to.text(it.messageId);
    newBody.write(to, it);
    to.text(it.attributes);
    to.text(it.systemAttributes);
    to.name(it.senderId);
    to.number(it.sentMs);
    to.number(it.visibleAtMs);
    to.number(it.sizeBytes);
    writeOptional(to, text, it.groupId);
    writeOptional(to, digests, it.deduplication);
  },
  read(from: Incoming, queueId: string): NewMessage {
    const messageId = from.text();
    const body = newBody.read(from, { queueId, messageId });
    const message = {
      messageId,
      sealed: body.sealed,
      placeMac: body.placeMac,
      attributes: from.text(),
      systemAttributes: from.text(),
      senderId: from.name(),
      sentMs: from.number(),
      visibleAtMs: from.number(),
      sizeBytes: from.number(),
      groupId: readOptional(from, text),
      deduplication: readOptional(from, digests),
    };
    from.shared.become(body, message);
    return message;
  },
};

const fifoInsert: Form<FifoInsert> = {
  write(to, { historyId, nowMs, rememberMs }) {
    to.name(historyId);
    to.number(nowMs);
    to.number(rememberMs);
  },
  read: (from) => ({
    historyId: from.name(),
    nowMs: from.number(),
    rememberMs: from.number(),
  }),
};

export const insertMessages: Form<InsertMessages> = {
  write(to, it) {
    queue.write(to, it.queue);
    writeList(to, newMessage, it.messages);
    writeOptional(to, fifoInsert, it.fifo);
  },
  read(from) {
    const identity = queue.read(from);
    const { queueId } = identity;
    return {
      kind: "sqs.insert",
      queue: identity,
      messages: readList(from, { read: () => newMessage.read(from, queueId) }),
      fifo: readOptional(from, fifoInsert),
    };
  },
};

const placedMessage: Form<PlacedMessage> = {
  write(to, { messageId, sequence, duplicate }) {
    to.text(messageId);
    to.number(sequence);
    to.byte(duplicate ? 1 : 0);
  },
  read: (from) => ({
    messageId: from.text(),
    sequence: from.number(),
    duplicate: from.byte() === 1,
  }),
};

/** What a FIFO queue answers; of a standard queue there is nothing to say. */
export const placedMessages: Form<readonly PlacedMessage[]> = {
  write: (to, value) => writeList(to, placedMessage, value),
  read: (from) => readList(from, placedMessage),
};

const fifoClaim: Form<FifoClaim> = {
  write(to, { attemptId, attemptMs }) {
    writeOptional(to, text, attemptId);
    to.number(attemptMs);
  },
  read: (from) => ({ attemptId: readOptional(from, text), attemptMs: from.number() }),
};

export const claimMessages: Form<ClaimMessages> = {
  write(to, it) {
    queue.write(to, it.queue);
    to.number(it.nowMs);
    to.number(it.count);
    to.number(it.visibleAgainMs);
    to.number(it.retainedSinceMs);
    to.text(it.claimId);
    to.number(it.inFlightMax);
    writeOptional(to, number, it.receiveCountMax);
    writeOptional(to, fifoClaim, it.fifo);
  },
  read: (from) => ({
    kind: "sqs.claim",
    queue: queue.read(from),
    nowMs: from.number(),
    count: from.number(),
    visibleAgainMs: from.number(),
    retainedSinceMs: from.number(),
    claimId: from.text(),
    inFlightMax: from.number(),
    receiveCountMax: readOptional(from, number),
    fifo: readOptional(from, fifoClaim),
  }),
};

const claimedMessage: Form<ClaimedMessage> = {
  write(to, it) {
    to.number(it.sequence);
    to.text(it.messageId);
    to.name(it.dataKeyId);
    to.bytes(it.bytes);
    to.bytes(it.placeMac);
    to.text(it.attributes);
    to.text(it.systemAttributes);
    to.name(it.senderId);
    to.number(it.sentMs);
    to.number(it.firstReceivedMs);
    to.number(it.receiveCount);
    to.number(it.visibleAtMs);
    to.text(it.deadLetterSourceArn);
    to.text(it.groupId);
  },
  read: (from) => ({
    sequence: from.number(),
    messageId: from.text(),
    dataKeyId: from.name(),
    bytes: from.bytes(),
    placeMac: from.bytes(),
    attributes: from.text(),
    systemAttributes: from.text(),
    senderId: from.name(),
    sentMs: from.number(),
    firstReceivedMs: from.number(),
    receiveCount: from.number(),
    visibleAtMs: from.number(),
    deadLetterSourceArn: from.text(),
    groupId: from.text(),
  }),
};

const sealingModes: readonly StoredDataKey["mode"][] = ["kms", "owned", "installation"];

const dataKey: Form<StoredDataKey> = {
  write(to, it) {
    to.name(it.id);
    to.name(it.accountId);
    to.name(it.region);
    to.name(it.sealingArn);
    to.name(it.mode);
    to.name(it.keyArn);
    to.bytes(it.blob);
    to.number(it.createdMs);
  },
  read: (from) => ({
    id: from.name(),
    accountId: from.name(),
    region: from.name(),
    sealingArn: from.name(),
    mode: oneOf(sealingModes, from.name()),
    keyArn: from.name(),
    blob: from.bytes(),
    createdMs: from.number(),
  }),
};

function oneOf<T extends string>(known: readonly T[], name: string): T {
  const found = known.find((it) => it === name);
  assert(found, `the other thread knows ${name} as well`);
  return found;
}

export const claimResult: Form<ClaimResult> = {
  write(to, it) {
    writeOptional(to, text, it.repeatedClaimId);
    writeList(to, claimedMessage, it.messages);
    writeList(to, claimedMessage, it.exhausted);
    writeList(to, dataKey, it.dataKeys);
    to.byte(it.overLimit ? 1 : 0);
  },
  read: (from) => ({
    repeatedClaimId: readOptional(from, text),
    messages: readList(from, claimedMessage),
    exhausted: readList(from, claimedMessage),
    dataKeys: readList(from, dataKey),
    overLimit: from.byte() === 1,
  }),
};

const messageClaim: Form<MessageClaim> = {
  write(to, { sequence, claimId }) {
    to.number(sequence);
    to.text(claimId);
  },
  read: (from) => ({ sequence: from.number(), claimId: from.text() }),
};

export const deleteMessages: Form<DeleteMessages> = {
  write(to, it) {
    queue.write(to, it.queue);
    writeList(to, messageClaim, it.messages);
    writeOptional(to, number, it.fifoNowMs);
  },
  read: (from) => ({
    kind: "sqs.delete",
    queue: queue.read(from),
    messages: readList(from, messageClaim),
    fifoNowMs: readOptional(from, number),
  }),
};

const results: readonly DeleteResult[] = ["deleted", "absent", "superseded", "lapsed"];

const deleteResult: Form<DeleteResult> = {
  write: (to, value) => to.byte(results.indexOf(value)),
  read(from) {
    const result = results[from.byte()];
    assert(result, "the other thread knows the same results of a deletion");
    return result;
  },
};

export const deleteResults: Form<readonly DeleteResult[]> = {
  write: (to, value) => writeList(to, deleteResult, value),
  read: (from) => readList(from, deleteResult),
};
