import { Refusal } from "../../kernel/errors.ts";
import type { Tokens } from "./ports.ts";
import type { Queue } from "./queue.ts";

/** What a receipt handle says. */
export interface Receipt {
  readonly queueId: string;
  readonly sequence: number;
  readonly messageId: string;
  readonly claimId: string;
}

/**
 * version(1) ‖ queue id(16) ‖ sequence(8) ‖ message id(16) ‖ claim id(8) ‖ MAC. The MAC also covers
 * the queue's ARN, so that a handle of another queue is none.
 */
const version = 1;
const queueIdAt = 1;
const sequenceAt = 17;
const messageIdAt = 25;
const claimIdAt = 41;
const macAt = 49;
/** AWS: handles have at most 1,024 characters. */
const handleCharsMax = 1024;
const handlePattern = /^[A-Za-z0-9_-]+$/;

export function makeReceiptHandle(tokens: Tokens, queue: Queue, receipt: Receipt): string {
  const bytes = withArn(queue.arn);
  bytes[0] = version;
  bytes.write(receipt.queueId, queueIdAt, 16, "hex");
  bytes.writeBigUInt64BE(BigInt(receipt.sequence), sequenceAt);
  bytes.write(receipt.messageId.replaceAll("-", ""), messageIdAt, 16, "hex");
  bytes.write(receipt.claimId, claimIdAt, 8, "hex");
  const mac = tokens.sign(bytes);
  return Buffer.concat([bytes.subarray(0, macAt), mac]).toString("base64url");
}

/** undefined: not a handle that was made here for this queue. */
export function readReceiptHandle(
  tokens: Tokens,
  queue: Queue,
  handle: string,
): Receipt | undefined {
  if (handle.length > handleCharsMax || !handlePattern.test(handle)) return undefined;
  const given = Buffer.from(handle, "base64url");
  if (given.length <= macAt || given[0] !== version) return undefined;
  const bytes = withArn(queue.arn);
  given.copy(bytes, 0, 0, macAt);
  if (!tokens.verify(bytes, given.subarray(macAt))) return undefined;
  return {
    queueId: given.toString("hex", queueIdAt, sequenceAt),
    sequence: Number(given.readBigUInt64BE(sequenceAt)),
    messageId: uuid(given.toString("hex", messageIdAt, claimIdAt)),
    claimId: given.toString("hex", claimIdAt, macAt),
  };
}

export function invalidReceiptHandle(handle: string): Refusal {
  const message = `The input receipt handle "${handle}" is not a valid receipt handle.`;
  return new Refusal("ReceiptHandleIsInvalid", message);
}

function withArn(arn: string): Buffer {
  const bytes = Buffer.alloc(macAt + arn.length);
  bytes.write(arn, macAt, "latin1");
  return bytes;
}

function uuid(hex: string): string {
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((end, index) => hex.slice(cuts[index], end))
    .join("-");
}
