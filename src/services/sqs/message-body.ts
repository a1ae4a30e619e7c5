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
  return shared ? new SharedBody(shared, inserted) : new OwnBody(MessageBody);
}

class OwnBody implements DraftBody {
  readonly body: Body & { readonly bytes: Buffer };

  constructor(text: string) {
    this.body = { bytes: Buffer.from(text, "utf8"), insertion: undefined };
  }

  get sizeBytes(): number {
    return this.body.bytes.length;
  }

  text(): Uint8Array {
    return this.body.bytes;
  }

  giveBack(): void {
    giveBack(this.body.bytes);
  }
}

class SharedBody implements DraftBody {
  readonly body: Body;
  readonly #shared: SharedText;

  constructor(shared: SharedText, inserted: InsertedText | undefined) {
    const insertion = inserted && {
      before: inserted.before,
      bytes: Buffer.from(inserted.text, "utf8"),
    };
    this.body = { bytes: shared.body, insertion };
    this.#shared = shared;
  }

  get sizeBytes(): number {
    const { bytes, gap } = this.#shared;
    return bytes.length + (this.body.insertion?.bytes.length ?? 0) + (gap?.bytes ?? 0);
  }

  text(): Uint8Array {
    return wholeBody({ bytes: this.#shared.bytes, insertion: this.body.insertion });
  }

  giveBack(): void {
    // Others have it too.
  }
}
