import { manyTexts, memoText, ownText } from "../../kernel/memo.ts";
import type { Glob, GlobToken } from "./glob.ts";
import { compileGlob, matchesGlob } from "./glob.ts";

/** The six parts of an ARN; the last one keeps its colons. */
export type ArnParts = readonly string[];

/** undefined: the text has fewer than six parts. */
export function splitArn(text: string): ArnParts | undefined {
  const parts = partsOf(text);
  return parts === "none" ? undefined : parts;
}

/** The same few resources and sources are asked about again and again. */
const partsOf = memoText((given): ArnParts | "none" => {
  const text = ownText(given);
  const parts: string[] = [];
  let from = 0;
  for (let index = 0; index < 5; index++) {
    const colon = text.indexOf(":", from);
    if (colon < 0) return "none";
    parts.push(text.slice(from, colon));
    from = colon + 1;
  }
  parts.push(text.slice(from));
  return parts;
}, manyTexts);

/** A pattern over ARNs, part by part: no wildcard crosses one of the first five colons. */
export type ArnGlob = "any" | "none" | readonly Glob[];

/**
 * Compiles a pattern. A lone `*` matches everything; what has fewer than six parts matches nothing.
 */
export function compileArnGlob(tokens: readonly GlobToken[]): ArnGlob {
  if (tokens.length === 1 && tokens[0]?.kind === "any") return "any";
  const parts: GlobToken[][] = [[]];
  for (const [index, token] of tokens.entries()) {
    // The last part takes the rest whole, however long it is.
    if (parts.length === 6) {
      parts[5] = [...(parts[5] ?? []), ...tokens.slice(index)];
      break;
    }
    if (token.kind !== "literal") {
      parts.at(-1)?.push(token);
      continue;
    }
    let rest = token.text;
    while (parts.length < 6) {
      const colon = rest.indexOf(":");
      if (colon < 0) break;
      parts.at(-1)?.push({ kind: "literal", text: rest.slice(0, colon) });
      parts.push([]);
      rest = rest.slice(colon + 1);
    }
    parts.at(-1)?.push(rest === token.text ? token : { kind: "literal", text: rest });
  }
  return parts.length < 6 ? "none" : parts.map(compileGlob);
}

export function matchesArn(glob: ArnGlob, text: string, parts: ArnParts | undefined): boolean {
  if (glob === "any") return true;
  if (glob === "none" || parts === undefined) return false;
  // The last part tells resources apart, so it is asked first.
  for (let index = 5; index >= 0; index--) {
    const part = glob[index];
    const value = parts[index];
    if (part === undefined || value === undefined || !matchesGlob(part, value)) return false;
  }
  return text !== "";
}
