import { type Gap, packGapped } from "./gapped.ts";

/**
 * A text that goes to several queues: its bytes are made once. Who gets the same array twice knows,
 * without looking into it, that it is the same text.
 */
export class SharedText {
  readonly text: string;
  /** What it lacks until it is received. */
  readonly gap: Gap | undefined;
  #bytes: Buffer | undefined;
  #body: Buffer | undefined;
  #isLegal: boolean | undefined;

  constructor(text: string, gap?: Gap) {
    this.text = text;
    this.gap = gap;
  }

  /** UTF-8. INVARIANT: nobody changes it or gives its memory back, since others have it too. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.text, "utf8");
    return this.#bytes;
  }

  /** As it is sealed: with a gap, packed. The same holds for it. */
  get body(): Buffer {
    const { bytes, gap } = this;
    this.#body ??= gap ? packGapped({ text: bytes, gap }) : bytes;
    return this.#body;
  }

  /** What is the same wherever it goes is asked once. */
  isLegal(ask: (text: string) => boolean): boolean {
    this.#isLegal ??= ask(this.text);
    return this.#isLegal;
  }
}
