import { isUtf8 } from "node:buffer";
import { Refusal } from "../kernel/errors.ts";
import type { WireRequest } from "./request.ts";

/** Parameters of the query protocol as a tree: `Tags.member.1.Key=a` is four levels deep. */
export interface FormNode {
  text: string | undefined;
  children: Map<string, FormNode> | undefined;
}

/** Far above what any operation takes; a request beyond it is refused before it costs memory. */
const parametersMax = 20_000;
const levelsMax = 16;

const parsed = new WeakMap<WireRequest, FormNode>();

/**
 * Parameters of a request: those of the URL and those of the body. Parsed once per request.
 * Throws Refusal `MalformedInput`. AWS?: code and texts.
 */
export function formOf(request: WireRequest): FormNode {
  const known = parsed.get(request);
  if (known !== undefined) return known;
  if (!isUtf8(request.body)) throw malformed("The request body is not valid UTF-8.");
  const root: FormNode = { text: undefined, children: undefined };
  let count = parseInto(root, request.query, 0);
  if (request.body.length > 0) count = parseInto(root, request.body.toString("utf8"), count);
  parsed.set(request, root);
  return root;
}

/** A parameter at the top level, such as `Action`. */
export function parameterOf(form: FormNode, name: string): string | undefined {
  return form.children?.get(name)?.text;
}

export function malformed(message: string): Refusal {
  return new Refusal("MalformedInput", message);
}

function parseInto(root: FormNode, text: string, countBefore: number): number {
  let count = countBefore;
  let start = 0;
  while (start < text.length) {
    const ampersand = text.indexOf("&", start);
    const end = ampersand < 0 ? text.length : ampersand;
    if (end > start) {
      count += 1;
      if (count > parametersMax) throw malformed("The request has too many parameters.");
      putPair(root, text.slice(start, end));
    }
    start = end + 1;
  }
  return count;
}

function putPair(root: FormNode, pair: string): void {
  const equals = pair.indexOf("=");
  const key = percentDecoded(equals < 0 ? pair : pair.slice(0, equals));
  const node = nodeAt(root, key);
  const text = equals < 0 ? "" : percentDecoded(pair.slice(equals + 1));
  // Two values for one name have no meaning that client, proxy and server would agree on.
  if (node.text !== undefined && node.text !== text) {
    throw malformed("A parameter is given twice with different values.");
  }
  node.text = text;
}

function nodeAt(root: FormNode, key: string): FormNode {
  let node = root;
  let start = 0;
  for (let level = 0; ; level += 1) {
    if (level === levelsMax) throw malformed("A parameter name has too many parts.");
    const dot = key.indexOf(".", start);
    const name = dot < 0 ? key.slice(start) : key.slice(start, dot);
    node.children ??= new Map();
    let child = node.children.get(name);
    if (child === undefined) {
      child = { text: undefined, children: undefined };
      node.children.set(name, child);
    }
    node = child;
    if (dot < 0) return node;
    start = dot + 1;
  }
}

function percentDecoded(text: string): string {
  const blanks = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!blanks.includes("%")) return blanks;
  try {
    return decodeURIComponent(blanks);
  } catch {
    throw malformed("The request has a broken percent-encoding.");
  }
}
