/**
 * A text that goes to several places: its bytes are made once. Who gets the same array twice knows,
 * without looking into it, that it is the same text.
 */
export class SharedText {
  readonly #text: string;
  #bytes: Buffer | undefined;
  #isLegal: boolean | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** UTF-8. INVARIANT: nobody changes it or gives its memory back, since others have it too. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.#text, "utf8");
    return this.#bytes;
  }

  /** What is the same for all places that it goes to is asked once. */
  isLegal(ask: (text: string) => boolean): boolean {
    this.#isLegal ??= ask(this.#text);
    return this.#isLegal;
  }
}
