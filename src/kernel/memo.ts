/** Remembers at most this much of a function of texts. */
export interface MemoLimits {
  readonly entriesMax: number;
  /** Longer texts are worked out anew each time. */
  readonly charactersMax: number;
}

/** For texts of which each queue, topic or user has its own: more than one server has of them. */
export const manyTexts: MemoLimits = { entriesMax: 32_768, charactersMax: 512 };

/**
 * The same function, with its answers remembered: for what is asked again and again of few texts
 * (a credential's scope, a queue's URL). `make` must depend on its text alone, and what it answers
 * must not be changed. What it throws is not remembered.
 */
export function memoText<V>(
  make: (text: string) => V,
  { entriesMax, charactersMax }: MemoLimits = { entriesMax: 1_000, charactersMax: 512 },
): (text: string) => V {
  const answers = new Map<string, V>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    if (text.length > charactersMax) return made;
    if (answers.size >= entriesMax) answers.clear();
    answers.set(ownText(text), made);
    return made;
  };
}

/** A copy for keeping: a text that was cut out of a longer one keeps that one in memory. */
export function ownText(text: string): string {
  return JSON.parse(JSON.stringify(text));
}
