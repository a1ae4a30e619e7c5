/**
 * Wildcard matching in linear time: `*` is any text, `?` any one character. A pattern is cut at its
 * stars; the leftmost place of each part is the right one, so nothing is ever tried twice. No text
 * of a user becomes a regular expression.
 */

/** What a pattern is made of once variables are resolved. Literal text may hold `*` and `?`. */
export type GlobToken =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "any" };

export interface Glob {
  /** Parts between stars; one part: no star at all. */
  readonly parts: readonly Part[];
  readonly lengthMin: number;
}

interface Part {
  /** With U+0000 where a `?` stands. */
  readonly text: string;
  /** Places of `?`. */
  readonly holes: readonly number[];
  /** Search tables, made at first use by long parts only. */
  table: Int32Array | undefined;
  masks: Masks | undefined;
}

interface Masks {
  readonly words: number;
  readonly holes: Uint32Array;
  readonly byCode: ReadonlyMap<number, Uint32Array>;
}

export function compileGlob(tokens: readonly GlobToken[]): Glob {
  const parts: Part[] = [];
  let text = "";
  let holes: number[] = [];
  let lengthMin = 0;
  const cut = () => {
    parts.push({ text, holes, table: undefined, masks: undefined });
    lengthMin += text.length;
    text = "";
    holes = [];
  };
  for (const token of tokens) {
    if (token.kind === "any") cut();
    else if (token.kind === "literal") text += token.text;
    else {
      holes.push(text.length);
      text += "\0";
    }
  }
  cut();
  return { parts, lengthMin };
}

export function matchesGlob(glob: Glob, text: string): boolean {
  const { parts, lengthMin } = glob;
  const [first] = parts;
  const last = parts.at(-1);
  if (text.length < lengthMin || first === undefined || last === undefined) return false;
  if (parts.length === 1) return text.length === lengthMin && standsAt(first, text, 0);
  const limit = text.length - last.text.length;
  if (!standsAt(first, text, 0) || !standsAt(last, text, limit)) return false;
  let from = first.text.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index];
    if (part === undefined || part.text === "") continue;
    const at = find(part, text, from, limit);
    if (at < 0) return false;
    from = at + part.text.length;
  }
  return true;
}

function standsAt(part: Part, text: string, at: number): boolean {
  if (part.holes.length === 0) return text.startsWith(part.text, at);
  let hole = 0;
  for (let index = 0; index < part.text.length; index++) {
    if (part.holes[hole] === index) hole++;
    else if (part.text.charCodeAt(index) !== text.charCodeAt(at + index)) return false;
  }
  return true;
}

/** Up to here the engine's own search is linear (it keeps shifts for 250 characters). */
const nativeLengthMax = 200;

/** Leftmost place of the part within [from, limit), or -1. */
function find(part: Part, text: string, from: number, limit: number): number {
  const { length } = part.text;
  if (limit - from < length) return -1;
  if (part.holes.length > 0) return findWithHoles(part, text, from, limit);
  if (length > nativeLengthMax) return findLong(part, text, from, limit);
  const at = text.indexOf(part.text, from);
  return at < 0 || at + length > limit ? -1 : at;
}

/** Knuth, Morris, Pratt. */
function findLong(part: Part, text: string, from: number, limit: number): number {
  const pattern = part.text;
  part.table ??= borders(pattern);
  const table = part.table;
  let matched = 0;
  for (let at = from; at < limit; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && pattern.charCodeAt(matched) !== code) matched = table[matched - 1] ?? 0;
    if (pattern.charCodeAt(matched) === code) matched++;
    if (matched === pattern.length) return at - matched + 1;
  }
  return -1;
}

function borders(pattern: string): Int32Array {
  const table = new Int32Array(pattern.length);
  for (let at = 1, matched = 0; at < pattern.length; at++) {
    const code = pattern.charCodeAt(at);
    while (matched > 0 && pattern.charCodeAt(matched) !== code) matched = table[matched - 1] ?? 0;
    if (pattern.charCodeAt(matched) === code) matched++;
    table[at] = matched;
  }
  return table;
}

/** Shift-and: one bit per character of the pattern, so 32 of them move in one step. */
function findWithHoles(part: Part, text: string, from: number, limit: number): number {
  part.masks ??= masksOf(part);
  const { words, holes, byCode } = part.masks;
  const last = part.text.length - 1;
  const state = new Uint32Array(words);
  for (let at = from; at < limit; at++) {
    const mask = byCode.get(text.charCodeAt(at)) ?? holes;
    let carry = 1;
    for (let word = 0; word < words; word++) {
      const old = state[word] ?? 0;
      state[word] = ((old << 1) | carry) & (mask[word] ?? 0);
      carry = old >>> 31;
    }
    if (((state[last >> 5] ?? 0) >>> (last & 31)) & 1) return at - last;
  }
  return -1;
}

function masksOf(part: Part): Masks {
  const words = (part.text.length + 31) >> 5;
  const holes = new Uint32Array(words);
  const setBit = (mask: Uint32Array, index: number) => {
    mask[index >> 5] = (mask[index >> 5] ?? 0) | (1 << (index & 31));
  };
  for (const index of part.holes) setBit(holes, index);
  const byCode = new Map<number, Uint32Array>();
  let hole = 0;
  for (let index = 0; index < part.text.length; index++) {
    if (part.holes[hole] === index) {
      hole++;
      continue;
    }
    const code = part.text.charCodeAt(index);
    const mask = byCode.get(code) ?? holes.slice();
    setBit(mask, index);
    byCode.set(code, mask);
  }
  return { words, holes, byCode };
}
