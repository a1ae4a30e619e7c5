import { Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";

/** The body of a request to the server's own API, member by member. */
export interface AdminInput {
  text(name: string): string;
  optionalText(name: string): string | undefined;
  flag(name: string): boolean;
  /** A whole number from 1 up. */
  optionalCount(name: string): number | undefined;
}

/** Every reader throws InvalidRequest for a member of another type. */
export function inputOf(body: Json | undefined): AdminInput {
  const members = membersOf(body);
  const input: AdminInput = {
    text(name) {
      const value = input.optionalText(name);
      if (value === undefined) throw invalid(`\`${name}\` is missing`);
      return value;
    },
    optionalText(name) {
      const value = members.get(name) ?? undefined;
      if (value === undefined || typeof value === "string") return value;
      throw invalid(`\`${name}\` must be a text`);
    },
    flag(name) {
      const value = members.get(name);
      if (typeof value === "boolean") return value;
      throw invalid(`\`${name}\` must be true or false`);
    },
    optionalCount(name) {
      const value = members.get(name) ?? undefined;
      if (value === undefined) return undefined;
      if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value);
      throw invalid(`\`${name}\` must be a whole number from 1 up`);
    },
  };
  return input;
}

function membersOf(body: Json | undefined): ReadonlyMap<string, Json> {
  if (body === undefined) return new Map();
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    return new Map(Object.entries(body));
  }
  throw invalid("the body must be a JSON object");
}

function invalid(text: string): Refusal {
  return new Refusal("InvalidRequest", text, { status: 400 });
}
