import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";

/** How a value is written for the other thread, and read there: both in one place. */
export interface Form<T> {
  write(to: Outgoing, value: T): void;
  read(from: Incoming): T;
}

/** A group begins with the number of its entries. */
export const headBytes = 4;
/** An entry begins with whether the names before it are forgotten. */
export const namesStay = 0;
export const namesForgotten = 1;
/** Names that both ends remember. They forget all of them at the same one. */
export const namesMax = 8192;

export function writeList<T>(
  to: Outgoing,
  form: Pick<Form<T>, "write">,
  values: readonly T[],
): void {
  to.size(values.length);
  for (const value of values) form.write(to, value);
}

export function readList<T>(from: Incoming, form: Pick<Form<T>, "read">): T[] {
  const values: T[] = new Array(from.size());
  for (let index = 0; index < values.length; index++) values[index] = form.read(from);
  return values;
}

export function writeOptional<T>(to: Outgoing, form: Form<T>, value: T | undefined): void {
  to.byte(value === undefined ? 0 : 1);
  if (value !== undefined) form.write(to, value);
}

export function readOptional<T>(from: Incoming, form: Form<T>): T | undefined {
  return from.byte() === 0 ? undefined : form.read(from);
}

export const number: Form<number> = {
  write: (to, value) => to.number(value),
  read: (from) => from.number(),
};

export const text: Form<string> = {
  write: (to, value) => to.text(value),
  read: (from) => from.text(),
};

export const bytes: Form<Uint8Array> = {
  write: (to, value) => to.bytes(value),
  read: (from) => from.bytes(),
};
