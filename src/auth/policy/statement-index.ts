import type { CompiledStatement, ResourceName } from "./compile.ts";
import { headOf, literalOf } from "./glob.ts";
import type { PolicyCaller, PrincipalIds } from "./principals.ts";
import { labelOfEntry, labelsOfCaller } from "./principals.ts";

/**
 * What is known of every request that a statement can match: one of these texts is in it. Of the
 * three lists one is filled; all empty: it matches nothing.
 */
export interface Labels {
  /** The resource's last part begins with it. */
  readonly heads: readonly string[];
  /** It is the resource's account, Region or service. */
  readonly parts: readonly string[];
  /** It is a label of the caller. */
  readonly callers: readonly string[];
}

/** Who asks, and about what. */
export interface Subject {
  readonly caller: PolicyCaller;
  readonly resource: ResourceName;
}

/** Fewer are looked through faster than looked up. */
export const fewStatements = 8;

interface Cell<T> {
  readonly at: number;
  readonly one: T;
}

type File<T> = Map<string, Cell<T>[]>;

/**
 * A list of statements, so that the cost of a decision does not grow with those about other
 * resources and callers.
 *
 * INVARIANT: who asks each of the statements that `about` answers finds what holds, in the order
 * of the list, as if each of the list had been asked.
 */
export class StatementIndex<T> {
  readonly list: readonly T[];
  readonly #files: Files<T> | undefined;

  /** `labelsOf` answers undefined for a statement that any request may match. */
  constructor(list: readonly T[], labelsOf: (one: T) => Labels | undefined) {
    this.list = list;
    if (list.length >= fewStatements) this.#files = new Files(list, labelsOf);
  }

  /** Those that can match, in the order of the list. */
  about(subject: Subject): readonly T[] {
    return this.#files === undefined ? this.list : this.#files.about(subject);
  }
}

/** Statements filed by their labels. */
class Files<T> {
  readonly #always: Cell<T>[] = [];
  readonly #alwaysAlone: readonly T[];
  readonly #byHead: File<T> = new Map();
  readonly #headLengths: readonly number[];
  readonly #byPart: File<T> = new Map();
  readonly #byCaller: File<T> = new Map();

  constructor(list: readonly T[], labelsOf: (one: T) => Labels | undefined) {
    for (const [at, one] of list.entries()) {
      const labels = labelsOf(one);
      if (labels === undefined) this.#always.push({ at, one });
      else this.#file({ at, one }, labels);
    }
    this.#alwaysAlone = this.#always.map(({ one }) => one);
    const lengths = new Set([...this.#byHead.keys()].map(({ length }) => length));
    this.#headLengths = [...lengths].sort((a, b) => a - b);
  }

  #file(cell: Cell<T>, { heads, parts, callers }: Labels): void {
    const files = [
      [this.#byHead, heads],
      [this.#byPart, parts],
      [this.#byCaller, callers],
    ] as const;
    for (const [file, texts] of files) {
      for (const text of texts) {
        const cells = file.get(text);
        if (cells === undefined) file.set(text, [cell]);
        else cells.push(cell);
      }
    }
  }

  about({ caller, resource }: Subject): readonly T[] {
    const found: Cell<T>[] = [];
    const take = (cells: readonly Cell<T>[] | undefined) => {
      if (cells !== undefined) found.push(...cells);
    };
    if (resource.parts !== undefined) {
      const [, , service = "", region = "", accountId = "", name = ""] = resource.parts;
      for (const length of this.#headLengths) {
        if (length > name.length) break;
        take(this.#byHead.get(name.slice(0, length)));
      }
      if (this.#byPart.size > 0) {
        for (const text of [service, region, accountId]) take(this.#byPart.get(text));
      }
    }
    if (this.#byCaller.size > 0) {
      for (const label of labelsOfCaller(caller)) take(this.#byCaller.get(label));
    }
    return found.length === 0 ? this.#alwaysAlone : inOrder([...this.#always, ...found]);
  }
}

/** Each once. */
function inOrder<T>(cells: Cell<T>[]): readonly T[] {
  cells.sort((a, b) => a.at - b.at);
  return cells.filter(({ at }, index) => at !== cells[index - 1]?.at).map(({ one }) => one);
}

/**
 * By the caller where the statement names principals: such a policy hangs on the one resource that
 * it speaks about. By the resource else.
 */
export function labelsOf(statement: CompiledStatement, ids: PrincipalIds): Labels | undefined {
  return labelsOfPrincipal(statement, ids) ?? labelsOfResource(statement);
}

function labelsOfPrincipal(
  { statement: { principal } }: CompiledStatement,
  ids: PrincipalIds,
): Labels | undefined {
  if (principal === undefined || principal.not) return undefined;
  const callers: string[] = [];
  for (const entry of principal.values) {
    if (entry.kind === "everyone") return undefined;
    const label = labelOfEntry(entry, ids);
    if (label !== undefined) callers.push(label);
  }
  return { heads: [], parts: [], callers };
}

function labelsOfResource(compiled: CompiledStatement): Labels | undefined {
  const { statement, everyResource, resources, variableResources } = compiled;
  // What a variable stands for is known when a request comes.
  if (everyResource || statement.resource?.not || variableResources.length > 0) return undefined;
  const heads: string[] = [];
  const parts: string[] = [];
  for (const glob of resources) {
    if (glob === "any") return undefined;
    if (glob === "none") continue;
    const [, , service, region, accountId, name] = glob;
    const head = name === undefined ? "" : headOf(name);
    if (head !== "") {
      heads.push(head);
      continue;
    }
    const literal = [accountId, region, service]
      .map((part) => part && literalOf(part))
      .find((text) => text !== undefined);
    if (literal === undefined) return undefined;
    parts.push(literal);
  }
  return { heads, parts, callers: [] };
}
