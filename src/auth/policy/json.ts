import { PolicyError, shown } from "./errors.ts";

/** JSON with positions; numbers keep their text, so that no digit is lost before a comparison. */
export type JsonNode =
  | (Span & { readonly kind: "object"; readonly members: ReadonlyMap<string, JsonNode> })
  | (Span & { readonly kind: "array"; readonly items: readonly JsonNode[] })
  | (Span & { readonly kind: "string"; readonly text: string })
  | (Span & { readonly kind: "number"; readonly text: string })
  | (Span & { readonly kind: "boolean"; readonly text: "true" | "false" })
  | (Span & { readonly kind: "null" });

/** Offsets into the text, for positions in reports. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A policy nests seven deep; more is no policy. Bounds the recursion on hostile texts. */
const depthMax = 16;

/**
 * Reads a JSON text in time linear to its length. Unlike JSON.parse it refuses a name given twice
 * in one object: two readers must never see two different policies in one text.
 * Throws PolicyError with line and column.
 */
export function readJson(text: string): JsonNode {
  const reader = new Reader(text);
  const node = reader.value(0);
  reader.end();
  return node;
}

const scalarForm = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const plainForm = /[^"\\\u0000-\u001f]*/y;
const hexForm = /[0-9a-fA-F]{4}/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonNode {
    if (depth > depthMax) this.#fail(`nested deeper than ${depthMax} levels`);
    this.#skipBlanks();
    const start = this.#at;
    const char = this.#text.charAt(start);
    if (char === "{") return this.#object(start, depth);
    if (char === "[") return this.#array(start, depth);
    if (char === '"') {
      const text = this.#string();
      return { kind: "string", text, start, end: this.#at };
    }
    return this.#scalar(start);
  }

  end(): void {
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail("text after the end of the policy");
  }

  #object(start: number, depth: number): JsonNode {
    const members = new Map<string, JsonNode>();
    this.#at++;
    if (!this.#take("}")) {
      do {
        this.#skipBlanks();
        const nameAt = this.#at;
        if (this.#text.charAt(nameAt) !== '"') this.#fail("a member name in quotes is expected");
        const name = this.#string();
        if (members.has(name)) this.#fail(`\`${shown(name)}\` is given twice`, nameAt);
        if (!this.#take(":")) this.#fail("`:` is expected");
        members.set(name, this.value(depth + 1));
      } while (this.#take(","));
      if (!this.#take("}")) this.#fail("`,` or `}` is expected");
    }
    return { kind: "object", members, start, end: this.#at };
  }

  #array(start: number, depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#at++;
    if (!this.#take("]")) {
      do {
        items.push(this.value(depth + 1));
      } while (this.#take(","));
      if (!this.#take("]")) this.#fail("`,` or `]` is expected");
    }
    return { kind: "array", items, start, end: this.#at };
  }

  #scalar(start: number): JsonNode {
    scalarForm.lastIndex = start;
    const text = scalarForm.exec(this.#text)?.[0];
    if (text === undefined) this.#fail(start < this.#text.length ? "unexpected text" : "text ends");
    const end = start + text.length;
    this.#at = end;
    if (text === "null") return { kind: "null", start, end };
    if (text === "true" || text === "false") return { kind: "boolean", text, start, end };
    return { kind: "number", text, start, end };
  }

  #string(): string {
    const text = this.#text;
    let value = "";
    for (let from = this.#at + 1; ; ) {
      const at = this.#endOfRun(from);
      const run = text.slice(from, at);
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return value === "" ? run : value + run;
      }
      if (Number.isNaN(code)) this.#fail("a text has no end");
      if (code < 0x20) this.#fail("a control character inside a text must be escaped", at);
      const [char, length] = this.#escape(at);
      value += run + char;
      from = at + length;
    }
  }

  /** Where plain characters of a string end, found natively. */
  #endOfRun(from: number): number {
    if (this.#text.charCodeAt(from) === 0x5c) return from;
    plainForm.lastIndex = from;
    plainForm.test(this.#text);
    return plainForm.lastIndex;
  }

  #escape(at: number): readonly [char: string, length: number] {
    const next = this.#text.charAt(at + 1);
    const plain = next === "" ? -1 : '"\\/bfnrt'.indexOf(next);
    if (plain >= 0) return ['"\\/\b\f\n\r\t'.charAt(plain), 2];
    hexForm.lastIndex = at + 2;
    if (next !== "u" || !hexForm.test(this.#text)) this.#fail("unknown escape in a text", at);
    const code = Number.parseInt(this.#text.slice(at + 2, at + 6), 16);
    return [String.fromCharCode(code), 6];
  }

  #take(char: string): boolean {
    this.#skipBlanks();
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    for (; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #fail(reason: string, at = this.#at): never {
    const { line, column } = positionOf(this.#text, at);
    const told = reason + foreignCharacter(this.#text.codePointAt(at));
    throw new PolicyError(`line ${line}, column ${column}`, told, "syntax");
  }
}

/** What texts bring along that were copied from a page or an editor, and look like JSON there. */
const lookalikes: Readonly<Record<number, string>> = {
  160: "a no-break space",
  8203: "a zero-width space",
  8220: "a curly quote",
  8221: "a curly quote",
  65279: "a byte order mark",
};

function foreignCharacter(code: number | undefined): string {
  if (code === undefined || code < 0x80) return "";
  const name = lookalikes[code];
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  return `; there is U+${hex}${name === undefined ? "" : `, ${name}`}`;
}

/** Line and column, both from 1, of an offset. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
