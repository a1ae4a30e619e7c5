import { memoText, ownText } from "../../kernel/memo.ts";

/**
 * Wildcard matching without backtracking: `*` is any text, `?` any one character. A pattern is cut
 * at its stars; the leftmost place of each part is the right one, so nothing is ever tried twice.
 * No text of a user becomes a regular expression.
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

/** Text as it is, without an object of its own: a hostile pattern has one part per two letters. */
type Part = string | HoledPart;

interface HoledPart {
  /** With U+0000 where a `?` stands. */
  readonly text: string;
  /** Places of `?`. */
  readonly holes: readonly number[];
}

const noHoles: readonly number[] = [];

const textOf = (part: Part): string => (typeof part === "string" ? part : part.text);
const holesOf = (part: Part): readonly number[] =>
  typeof part === "string" ? noHoles : part.holes;

/**
 * Most patterns are short texts that all policies share (`arn`, a Region, an account, an action):
 * so they share what is made of them, and it stays in the processor's caches.
 */
const literalGlob = memoText((text): Glob => ({ parts: [ownText(text)], lengthMin: text.length }));

export function compileGlob(tokens: readonly GlobToken[]): Glob {
  const [only] = tokens;
  if (tokens.length === 1 && only?.kind === "literal") return literalGlob(only.text);
  const parts: Part[] = [];
  let text = "";
  let holes: number[] | undefined;
  let lengthMin = 0;
  const cut = () => {
    parts.push(holes === undefined ? text : { text, holes });
    lengthMin += text.length;
    text = "";
    holes = undefined;
  };
  for (const token of tokens) {
    if (token.kind === "any") cut();
    else if (token.kind === "literal") text += token.text;
    else {
      holes ??= [];
      holes.push(text.length);
      text += "\0";
    }
  }
  cut();
  // Without the room for more that a list that grew has.
  return { parts: parts.slice(), lengthMin };
}

/** What every matching text begins with: up to the first wildcard. */
export function headOf({ parts: [first = ""] }: Glob): string {
  return textOf(first).slice(0, holesOf(first)[0]);
}

/** The one text that matches; undefined if there are wildcards. */
export function literalOf({ parts }: Glob): string | undefined {
  const [only] = parts;
  return parts.length === 1 && typeof only === "string" ? only : undefined;
}

export function matchesGlob(glob: Glob, text: string): boolean {
  const { parts, lengthMin } = glob;
  const [first] = parts;
  const last = parts.at(-1);
  if (text.length < lengthMin || first === undefined || last === undefined) return false;
  if (parts.length === 1) return text.length === lengthMin && standsAt(first, text, 0);
  const limit = text.length - textOf(last).length;
  if (!standsAt(first, text, 0) || !standsAt(last, text, limit)) return false;
  let from = textOf(first).length;
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index];
    if (part === undefined || part === "") continue;
    const at = find(part, text, from, limit);
    if (at < 0) return false;
    from = at + textOf(part).length;
  }
  return true;
}

function standsAt(part: Part, text: string, at: number): boolean {
  if (typeof part === "string") return text.startsWith(part, at);
  let hole = 0;
  for (let index = 0; index < part.text.length; index++) {
    if (part.holes[hole] === index) hole++;
    else if (part.text.charCodeAt(index) !== text.charCodeAt(at + index)) return false;
  }
  return true;
}

/** Up to here plain search costs less than an index of the text. */
const shortLengthMax = 64;

/** Leftmost place of the part within [from, limit), or -1. */
function find(part: Part, text: string, from: number, limit: number): number {
  const last = limit - textOf(part).length;
  if (last < from) return -1;
  if (typeof part !== "string" || text.length > shortLengthMax) {
    return findIndexed(part, text, from, last);
  }
  const at = text.indexOf(part, from);
  return at > last ? -1 : at;
}

/** Per character of a text the places where it stands, one bit each. */
interface TextIndex {
  readonly text: string;
  readonly places: ReadonlyMap<number, Int32Array>;
}

/** Many patterns ask about one text, so the last one's index is kept. */
let lastIndex: TextIndex = { text: "", places: new Map() };

function indexOfText(text: string): TextIndex {
  if (lastIndex.text === text) return lastIndex;
  const places = new Map<number, Int32Array>();
  // One word more, so that a shifted read never needs a bounds check.
  const words = (text.length >> 5) + 2;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    let row = places.get(code);
    if (row === undefined) {
      row = new Int32Array(words);
      places.set(code, row);
    }
    row[at >> 5] = (row[at >> 5] ?? 0) | (1 << (at & 31));
  }
  lastIndex = { text, places };
  return lastIndex;
}

/**
 * Tries 32 places of the part at once: a place survives if every character of the part stands
 * where it should. Length of part times length of text, over 32, whatever they repeat.
 */
function findIndexed(part: Part, text: string, from: number, last: number): number {
  const rows = rowsOf(part, indexOfText(text).places);
  if (rows === undefined) return -1;
  for (let word = from >> 5; word <= last >> 5; word++) {
    let alive = word === from >> 5 ? -1 << (from & 31) : -1;
    for (let offset = 0; offset < rows.length && alive !== 0; offset++) {
      const row = rows[offset];
      if (row === undefined) continue;
      const start = word + (offset >> 5);
      const shift = offset & 31;
      const low = (row[start] ?? 0) >>> shift;
      alive &= shift === 0 ? low : low | ((row[start + 1] ?? 0) << (32 - shift));
    }
    if (alive === 0) continue;
    const at = (word << 5) + 31 - Math.clz32(alive & -alive);
    return at > last ? -1 : at;
  }
  return -1;
}

/** Places of each character of the part (undefined for `?`); undefined: one stands nowhere. */
function rowsOf(
  part: Part,
  places: ReadonlyMap<number, Int32Array>,
): readonly (Int32Array | undefined)[] | undefined {
  const rows: (Int32Array | undefined)[] = [];
  const text = textOf(part);
  const holes = holesOf(part);
  let hole = 0;
  for (let offset = 0; offset < text.length; offset++) {
    if (holes[hole] === offset) {
      hole++;
      rows.push(undefined);
      continue;
    }
    const row = places.get(text.charCodeAt(offset));
    if (row === undefined) return undefined;
    rows.push(row);
  }
  return rows;
}
