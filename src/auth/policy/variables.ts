import type { ConditionContext } from "../../kernel/operation.ts";
import { PolicyError, shown } from "./errors.ts";
import type { GlobToken } from "./glob.ts";

export type Version = "2008-10-17" | "2012-10-17";

/** A piece of a value: a wildcard, text, or a variable that the request fills in. */
export type Token = GlobToken | VariableToken;

interface VariableToken {
  readonly kind: "variable";
  /** Lower case. */
  readonly key: string;
  readonly fallback: string | undefined;
}

/**
 * Cuts a value into tokens. Variables and the escapes `${*}` `${?}` `${$}` exist in version
 * 2012-10-17 only; before, `${` is text. `wildcards: false` makes `*` and `?` text too.
 * Throws PolicyError for a variable that is none.
 */
export function tokenize(
  text: string,
  version: Version,
  path: string,
  wildcards = true,
): readonly Token[] {
  const variables = version === "2012-10-17";
  const tokens: Token[] = [];
  let literal = "";
  let from = 0;
  const flush = (end: number) => {
    if (end > from) literal += text.slice(from, end);
    if (literal !== "") tokens.push({ kind: "literal", text: literal });
    literal = "";
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (wildcards && (code === 0x2a || code === 0x3f)) {
      flush(at);
      tokens.push(code === 0x2a ? star : one);
      from = at + 1;
    } else if (variables && code === 0x24 && text.charCodeAt(at + 1) === 0x7b) {
      const { token, end } = readVariable(text, at, path);
      if (typeof token === "string") literal += text.slice(from, at) + token;
      else {
        flush(at);
        tokens.push(token);
      }
      from = end;
      at = end - 1;
    }
  }
  flush(text.length);
  return tokens;
}

const star: Token = { kind: "any" };
const one: Token = { kind: "one" };

/** `${key}`, `${key, 'default'}` or an escape, at `${`. */
function readVariable(
  text: string,
  at: number,
  path: string,
): { token: VariableToken | string; end: number } {
  const fail = (reason: string): never => {
    throw new PolicyError(path, `${reason} in \`${shown(text)}\``);
  };
  variableForm.lastIndex = at;
  const match = variableForm.exec(text);
  if (match === null)
    return fail("a policy variable has no end (or a default without single quotes)");
  const [whole, key = "", fallback] = match;
  const end = at + whole.length;
  if (fallback === undefined && (key === "*" || key === "?" || key === "$")) {
    return { token: key, end };
  }
  if (!/^[^\s*?$]/.test(key) || key !== key.trim()) return fail("a policy variable has no key");
  return { token: { kind: "variable", key: key.toLowerCase(), fallback }, end };
}

const variableForm = /\$\{([^{},']*)(?:,\s*'([^']*)'\s*)?\}/y;

export function hasVariable(tokens: readonly Token[]): boolean {
  return !isFixed(tokens);
}

function isFixed(tokens: readonly Token[]): tokens is readonly GlobToken[] {
  for (const token of tokens) if (token.kind === "variable") return false;
  return true;
}

/**
 * Fills variables in: a single value of the request, literally (a `*` in it is no wildcard), else
 * the default. undefined: one of them has neither, so the value matches nothing.
 */
export function resolve(
  tokens: readonly Token[],
  context: ConditionContext,
): readonly GlobToken[] | undefined {
  const resolved: GlobToken[] = [];
  for (const token of tokens) {
    if (token.kind !== "variable") {
      resolved.push(token);
      continue;
    }
    const value = context[token.key];
    // Only single-valued keys can be variables; a list would make the text ambiguous.
    const text = value === undefined || typeof value === "object" ? token.fallback : String(value);
    if (text === undefined) return undefined;
    resolved.push({ kind: "literal", text });
  }
  return resolved;
}

/** Text of tokens without wildcards. */
export function literalText(tokens: readonly GlobToken[]): string {
  return tokens.map((token) => (token.kind === "literal" ? token.text : "")).join("");
}

/** A pattern whose globs are compiled once, or per request where variables are in it. */
export type Pattern<T> =
  | { readonly fixed: T }
  | { readonly tokens: readonly Token[]; readonly compile: (tokens: readonly GlobToken[]) => T };

export function patternOf<T>(
  tokens: readonly Token[],
  compile: (tokens: readonly GlobToken[]) => T,
): Pattern<T> {
  return isFixed(tokens) ? { fixed: compile(tokens) } : { tokens, compile };
}

/** undefined: a variable has no value here. */
export function instance<T>(pattern: Pattern<T>, context: ConditionContext): T | undefined {
  if ("fixed" in pattern) return pattern.fixed;
  const resolved = resolve(pattern.tokens, context);
  return resolved === undefined ? undefined : pattern.compile(resolved);
}
