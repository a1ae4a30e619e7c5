/**
 * Plain data on its way between threads: JSON with the byte arrays lifted out into one buffer that
 * is transferred, not copied. Measured for SendMessage of 1 KiB at 64 a message: 2.7 µs for both
 * ends together, against 4.3 µs for structured clone of the same (which also copies the whole pool
 * that a small Buffer lies in).
 */
export interface Packed {
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One value made ready; several go into one `Packed`. */
export interface Piece {
  readonly text: string;
  readonly chunks: readonly Uint8Array[];
}

/** Stands for a byte array of this length; -1 for `undefined` where JSON would make it null. */
interface Placeholder {
  readonly $bytes: number;
}

const undefinedMark: Placeholder = { $bytes: -1 };

/** Takes a value apart. Throws an Error if a number in it has no JSON form. */
export function pieceOf(value: unknown): Piece {
  const chunks: Uint8Array[] = [];
  const text = JSON.stringify(lift(value, chunks));
  return { text, chunks };
}

/** An array of values in one transferable form. */
export function pack(pieces: readonly Piece[]): Packed {
  let length = 0;
  for (const { chunks } of pieces) for (const chunk of chunks) length += chunk.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const { chunks } of pieces) {
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
  }
  return { text: `[${pieces.map((piece) => piece.text).join(",")}]`, bytes };
}

/** The values again; byte arrays are views on the one buffer. */
export function unpack({ text, bytes }: Packed): unknown[] {
  let at = 0;
  function put(value: unknown): unknown {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) value[index] = put(value[index]);
      return value;
    }
    const object = value as Record<string, unknown>;
    const marked = object.$bytes;
    if (typeof marked === "number") {
      if (marked < 0) return undefined;
      at += marked;
      return bytes.subarray(at - marked, at);
    }
    for (const key in object) {
      const member = object[key];
      if (typeof member === "object") object[key] = put(member);
    }
    return object;
  }
  return put(JSON.parse(text)) as unknown[];
}

function lift(value: unknown, chunks: Uint8Array[]): unknown {
  switch (typeof value) {
    case "undefined":
      return undefinedMark;
    case "number":
      // JSON would silently make null of it, and null a time of 1970.
      if (!Number.isFinite(value)) throw new Error("a number for the store must be finite");
      return value;
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return value;
  if (value instanceof Uint8Array) {
    chunks.push(value);
    return { $bytes: value.length } satisfies Placeholder;
  }
  if (Array.isArray(value)) return value.map((member) => lift(member, chunks));
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copy[key] = lift(member, chunks);
  return copy;
}
