import { validationError } from "./refusals.ts";

export interface PagedInput {
  readonly MaxItems?: number | undefined;
  readonly Marker?: string | undefined;
}

export interface PageRequest {
  readonly limit: number;
  /** Only entries with a greater id; "" for the first page. */
  readonly afterId: string;
}

/** Reads MaxItems (100 where absent) and Marker. Throws ValidationError for a foreign marker. */
export function pageRequest(operation: string, input: PagedInput): PageRequest {
  const afterId = input.Marker === undefined ? "" : openMarker(operation, input.Marker);
  return { limit: input.MaxItems ?? 100, afterId };
}

export interface Page<T> {
  readonly entries: readonly T[];
  readonly output: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** Cuts a page out of entries in order of id, up to one more than the limit. */
export function pageOf<T>(
  operation: string,
  request: PageRequest,
  rest: readonly T[],
  idOf: (entry: T) => string,
): Page<T> {
  if (rest.length <= request.limit) return { entries: rest, output: { IsTruncated: false } };
  const entries = rest.slice(0, request.limit);
  const last = entries.at(-1);
  const marker = last === undefined ? undefined : makeMarker(operation, idOf(last));
  return { entries, output: { IsTruncated: true, ...(marker && { Marker: marker }) } };
}

/** A page of entries that are all at hand, in any order. */
export function pageOfAll<T>(
  operation: string,
  input: PagedInput,
  all: readonly T[],
  idOf: (entry: T) => string,
): Page<T> {
  const request = pageRequest(operation, input);
  const rest = all
    .filter((entry) => idOf(entry) > request.afterId)
    .toSorted((left, right) => (idOf(left) < idOf(right) ? -1 : 1));
  return pageOf(operation, request, rest, idOf);
}

function makeMarker(operation: string, id: string): string {
  return Buffer.from(`${operation}\n${id}`).toString("base64url");
}

function openMarker(operation: string, marker: string): string {
  const text = Buffer.from(marker, "base64url").toString();
  const id = text.slice(operation.length + 1);
  if (id === "" || makeMarker(operation, id) !== marker) {
    // AWS?: no recorded text.
    throw validationError("Invalid Marker.");
  }
  return id;
}
