import { constraint, refuse } from "./refusals.ts";

/** One page of an ordered list; `next` is the marker of the page after it. */
export interface Page<T> {
  readonly entries: readonly T[];
  readonly next: string | undefined;
}

export interface PageRequest {
  readonly limit: number;
  /** Only entries with a greater id; "" for the first page. */
  readonly afterId: string;
}

/**
 * Reads Limit and Marker. A marker names the operation that gave it out and the last id it showed.
 *
 * Throws InvalidMarkerException for a marker of another operation, ValidationException for a limit
 * above what the service allows.
 */
export function pageRequest(
  operation: string,
  input: { Limit?: number | undefined; Marker?: string | undefined },
  limits: { default: number; max: number },
): PageRequest {
  const limit = input.Limit ?? limits.default;
  if (limit > limits.max) {
    throw constraint("limit", limit, `Member must have value less than or equal to ${limits.max}`);
  }
  return { limit, afterId: input.Marker === undefined ? "" : openMarker(operation, input.Marker) };
}

/** Cuts a page out of entries after `afterId`, in order of id, up to one more than the limit. */
export function pageOf<T>(
  operation: string,
  request: PageRequest,
  entries: readonly T[],
  idOf: (entry: T) => string,
): Page<T> {
  if (entries.length <= request.limit) return { entries, next: undefined };
  const page = entries.slice(0, request.limit);
  const last = page.at(-1);
  return { entries: page, next: last && makeMarker(operation, idOf(last)) };
}

/** `Truncated` is always there, `NextMarker` only when more follows. */
export function pageOutput(page: Page<unknown>): { Truncated: boolean; NextMarker?: string } {
  return { Truncated: page.next !== undefined, ...(page.next && { NextMarker: page.next }) };
}

function makeMarker(operation: string, id: string): string {
  return Buffer.from(`${operation}\n${id}`).toString("base64url");
}

function openMarker(operation: string, marker: string): string {
  const text = Buffer.from(marker, "base64url").toString();
  const [name, id] = [text.slice(0, operation.length), text.slice(operation.length + 1)];
  if (name !== operation || id === "" || makeMarker(operation, id) !== marker) {
    // AWS?: no recorded text.
    throw refuse("InvalidMarkerException", "The marker is not valid.");
  }
  return id;
}
