import { PolicyError, shown } from "./errors.ts";
import type { Grammar, PolicyKind } from "./grammar.ts";
import { grammars } from "./grammar.ts";
import type { JsonNode } from "./json.ts";
import { readJson } from "./json.ts";
import { checkAction, checkResource } from "./names.ts";
import type { PrincipalEntry } from "./principals.ts";
import { readPrincipal } from "./principals.ts";
import type { Version } from "./variables.ts";

export type { PolicyKind } from "./grammar.ts";

/** A policy as its author means it: the grammar is checked, names are not yet compiled. */
export interface PolicyDocument {
  readonly version: Version;
  readonly id: string | undefined;
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  readonly principal: Negatable<PrincipalEntry> | undefined;
  readonly action: Negatable<string> | undefined;
  readonly resource: Negatable<string> | undefined;
  readonly conditions: readonly ConditionClause[];
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

/** Action or NotAction, and so on. */
export interface Negatable<T> {
  readonly not: boolean;
  readonly values: readonly T[];
  readonly path: string;
}

export interface ConditionClause {
  readonly operatorName: string;
  /** As written. */
  readonly key: string;
  readonly values: readonly string[];
  readonly path: string;
}

type ObjectNode = Extract<JsonNode, { kind: "object" }>;

/**
 * Reads a policy of a kind, in time linear to its length. Operators and values of conditions are
 * looked at when it is compiled. Throws PolicyError.
 */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  const grammar = grammars[kind];
  if (grammar.latinOnly) checkCharacters(text);
  const root = objectNode(readJson(text), "", "a policy must be an object");
  checkNames(root, "", ["Version", "Id", "Statement"]);
  const version = readVersion(root.members.get("Version"));
  const id = root.members.get("Id");
  const statements = root.members.get("Statement");
  if (statements === undefined) throw new PolicyError("", "the policy has no Statement");
  const nodes = statements.kind === "array" ? statements.items : [statements];
  if (nodes.length === 0) throw new PolicyError("Statement", "the policy has no statement");
  const single = statements.kind !== "array";
  const parsed = nodes.map((node, index) => {
    const path = single ? "Statement" : `Statement[${index}]`;
    return parseStatement(node, index, path, grammar);
  });
  if (grammar.uniqueSid) checkSids(parsed);
  const idText = id === undefined ? undefined : stringNode(id, "Id", "Id must be text");
  return { version, id: idText, statements: parsed };
}

function checkCharacters(text: string): void {
  const at = text.search(/[^\t\n\r\x20-\xff]/);
  if (at < 0) return;
  const code = text.charCodeAt(at).toString(16).padStart(4, "0");
  throw new PolicyError("", `a policy holds no U+${code}`);
}

function readVersion(node: JsonNode | undefined): Version {
  if (node === undefined) return "2008-10-17";
  const text = stringNode(node, "Version", "Version must be text");
  if (text === "2012-10-17" || text === "2008-10-17") return text;
  throw new PolicyError("Version", `\`${shown(text)}\` is neither 2012-10-17 nor 2008-10-17`);
}

const statementNames = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
] as const;

function parseStatement(node: JsonNode, index: number, path: string, grammar: Grammar): Statement {
  const object = objectNode(node, path, "a statement must be an object");
  checkNames(object, path, statementNames);
  const sid = object.members.get("Sid");
  const sidText = sid === undefined ? undefined : stringNode(sid, `${path}.Sid`, "must be text");
  if (grammar.plainSid && sidText !== undefined && !/^[A-Za-z0-9]*$/.test(sidText)) {
    const reason = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies";
    throw new PolicyError(`${path}.Sid`, `${reason} the regular expression [0-9A-Za-z]*`);
  }
  return {
    index,
    sid: sidText === "" ? undefined : sidText,
    effect: readEffect(object.members.get("Effect"), path),
    principal: readPrincipals(object, path, grammar),
    action: readActions(object, path, grammar),
    resource: readResources(object, path, grammar),
    conditions: readConditions(object.members.get("Condition"), `${path}.Condition`),
    start: object.start,
    end: object.end,
  };
}

function checkSids(statements: readonly Statement[]): void {
  const seen = new Set<string>();
  for (const { sid, index } of statements) {
    if (sid === undefined) continue;
    if (seen.has(sid)) {
      const reason = "Statement IDs (SID) in a single policy must be unique.";
      throw new PolicyError(`Statement[${index}].Sid`, reason);
    }
    seen.add(sid);
  }
}

function readEffect(node: JsonNode | undefined, path: string): "Allow" | "Deny" {
  const text = node?.kind === "string" ? node.text : undefined;
  if (text === "Allow" || text === "Deny") return text;
  throw new PolicyError(`${path}.Effect`, "Effect must be `Allow` or `Deny`");
}

/** The one of `Name` and `NotName` that is there. */
function eitherOf(
  object: ObjectNode,
  name: string,
  path: string,
): { node: JsonNode; not: boolean; path: string } | undefined {
  const plain = object.members.get(name);
  const negated = object.members.get(`Not${name}`);
  if (plain !== undefined && negated !== undefined) {
    throw new PolicyError(path, `${name} and Not${name} exclude each other`);
  }
  if (plain !== undefined) return { node: plain, not: false, path: `${path}.${name}` };
  if (negated !== undefined) return { node: negated, not: true, path: `${path}.Not${name}` };
  return undefined;
}

function readPrincipals(
  object: ObjectNode,
  path: string,
  grammar: Grammar,
): Negatable<PrincipalEntry> | undefined {
  const found = eitherOf(object, "Principal", path);
  if (found === undefined) {
    if (grammar.principal === "forbidden") return undefined;
    throw new PolicyError(path, "the statement must name a principal");
  }
  if (grammar.principal === "forbidden") {
    throw new PolicyError(found.path, "Policy document should not specify a principal.");
  }
  if (found.not && !grammar.notPrincipal) {
    throw new PolicyError(found.path, "NotPrincipal is not allowed in this kind of policy");
  }
  const { node, not } = found;
  if (node.kind === "string" && node.text === "*") {
    return { not, values: [{ kind: "everyone" }], path: found.path };
  }
  const types = objectNode(node, found.path, "must be `*` or an object of principal types");
  const values: PrincipalEntry[] = [];
  for (const [type, list] of types.members) {
    const place = `${found.path}.${shown(type)}`;
    const known =
      type === "AWS" || type === "Service" || (type === "Federated" && grammar.federated);
    if (!known) throw new PolicyError(place, `principal type \`${shown(type)}\` is not allowed`);
    for (const text of stringList(list, place)) {
      const entry = readPrincipal(type, text);
      if (entry === undefined) {
        throw new PolicyError(place, `Invalid principal in policy: "${type}":"${shown(text)}"`);
      }
      values.push(entry);
    }
  }
  if (values.length === 0) throw new PolicyError(found.path, "the statement must name a principal");
  return { not, values, path: found.path };
}

function readActions(
  object: ObjectNode,
  path: string,
  grammar: Grammar,
): Negatable<string> | undefined {
  const found = eitherOf(object, "Action", path);
  if (found === undefined) {
    if (grammar.action === "optional") return undefined;
    throw new PolicyError(path, "Policy statement must contain actions.");
  }
  const values = stringList(found.node, found.path);
  if (values.length === 0) {
    throw new PolicyError(found.path, "Policy statement must contain actions.");
  }
  for (const text of values) checkAction(text, found.path);
  return { not: found.not, values, path: found.path };
}

function readResources(
  object: ObjectNode,
  path: string,
  grammar: Grammar,
): Negatable<string> | undefined {
  const found = eitherOf(object, "Resource", path);
  if (found === undefined) {
    if (grammar.resource !== "required") return undefined;
    throw new PolicyError(path, "Policy statement must contain resources.");
  }
  if (grammar.resource === "forbidden") {
    const name = found.not ? "NotResource" : "Resource";
    throw new PolicyError(found.path, `Has prohibited field ${name}.`);
  }
  const values = stringList(found.node, found.path);
  if (values.length === 0) {
    throw new PolicyError(found.path, "Policy statement must contain resources.");
  }
  for (const text of values) checkResource(text, found.path, grammar.arnsOnly);
  return { not: found.not, values, path: found.path };
}

function readConditions(node: JsonNode | undefined, path: string): readonly ConditionClause[] {
  if (node === undefined) return [];
  const clauses: ConditionClause[] = [];
  const operators = objectNode(node, path, "Condition must be an object of operators");
  for (const [operatorName, keys] of operators.members) {
    const place = `${path}.${shown(operatorName)}`;
    const byKey = objectNode(keys, place, "an operator must be an object of condition keys");
    for (const [key, list] of byKey.members) {
      const clausePath = `${place}.${shown(key)}`;
      if (!/^[^\s:]+:\S/.test(key) || key !== key.trim()) {
        const reason = "Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        throw new PolicyError(clausePath, reason);
      }
      const values = scalarList(list, clausePath);
      if (values.length === 0) throw new PolicyError(clausePath, "the condition has no value");
      clauses.push({ operatorName, key, values, path: clausePath });
    }
  }
  return clauses;
}

function objectNode(node: JsonNode, path: string, reason: string): ObjectNode {
  if (node.kind === "object") return node;
  throw new PolicyError(path, reason);
}

function checkNames(object: ObjectNode, path: string, names: readonly string[]): void {
  for (const name of object.members.keys()) {
    if (names.includes(name)) continue;
    const place = path === "" ? shown(name) : `${path}.${shown(name)}`;
    throw new PolicyError(place, `\`${shown(name)}\` is no policy element`);
  }
}

function stringNode(node: JsonNode, path: string, reason: string): string {
  if (node.kind === "string") return node.text;
  throw new PolicyError(path, reason);
}

/** One text or a list of texts. */
function stringList(node: JsonNode, path: string): readonly string[] {
  const nodes = node.kind === "array" ? node.items : [node];
  return nodes.map((item) => stringNode(item, path, "must be text or a list of texts"));
}

/** One value or a list of values; numbers and booleans as the text they were written in. */
function scalarList(node: JsonNode, path: string): readonly string[] {
  const nodes = node.kind === "array" ? node.items : [node];
  return nodes.map((item) => {
    if (item.kind === "string" || item.kind === "number" || item.kind === "boolean") {
      return item.text;
    }
    throw new PolicyError(path, "must be text, a number, true or false, or a list of them");
  });
}
