import { type Body, wholeBody } from "../../kernel/body.ts";
import { Refusal } from "../../kernel/errors.ts";
import { giveBack } from "../../kernel/memory.ts";
import type { SharedText } from "../../kernel/shared-text.ts";
import { illegalCharacter, isLegalText } from "./message-attributes.ts";
import { missingParameter } from "./refusals.ts";

/** What a message's body is made of. */
export interface BodyInput {
  readonly MessageBody?: string | undefined;
  /**
   * `MessageBody`, which other queues get as well; it may lack bytes until it is received.
   * INVARIANT: no member of the model, as the one below, so only a service of this server can say
   * it; the wire decodes nothing that the model does not name.
   */
  readonly shared?: SharedText | undefined;
  /** What this queue's copy of `shared` has beside it. */
  readonly inserted?: InsertedText | undefined;
}

export interface InsertedText {
  /** How many bytes of the text come after it. */
  readonly before: number;
  readonly text: string;
}

/** A body before it is sealed. */
export interface DraftBody {
  /** As it is sealed; with a gap, packed. */
  readonly body: Body;
  /** As AWS counts it: with all that it lacks yet. */
  readonly sizeBytes: number;
  /** The text, without what fills a gap. */
  text(): Uint8Array;
  /** Neither body nor text is needed any more. */
  giveBack(): void;
}

/** Throws MissingParameter, InvalidMessageContents. */
export function draftBody({ MessageBody, shared, inserted }: BodyInput): DraftBody {
  if (!MessageBody) throw missingParameter("MessageBody");
  const isLegal = shared ? shared.isLegal(isLegalText) : isLegalText(MessageBody);
  if (!isLegal) {
    throw new Refusal(
      "InvalidMessageContents",
      `Invalid binary character '${illegalCharacter(MessageBody)}' was found in the ` +
        "message body, the set of allowed characters is #x9 | #xA | #xD | [#x20-#xD7FF] | " +
        "[#xE000-#xFFFD] | [#x10000-#x10FFFF].",
    );
  }
  return shared ? sharedBody(shared, inserted) : ownBody(MessageBody);
}

function ownBody(text: string): DraftBody {
  const bytes = Buffer.from(text, "utf8");
  return {
    body: { bytes, insertion: undefined },
    sizeBytes: bytes.length,
    text: () => bytes,
    giveBack: () => giveBack(bytes),
  };
}

function sharedBody(
  { bytes, body, gap }: SharedText,
  inserted: InsertedText | undefined,
): DraftBody {
  const insertion = inserted && {
    before: inserted.before,
    bytes: Buffer.from(inserted.text, "utf8"),
  };
  return {
    body: { bytes: body, insertion },
    sizeBytes: bytes.length + (insertion?.bytes.length ?? 0) + (gap?.bytes ?? 0),
    text: () => wholeBody({ bytes, insertion }),
    giveBack: () => undefined,
  };
}
