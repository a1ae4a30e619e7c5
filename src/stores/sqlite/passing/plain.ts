import type { Form } from "./form.ts";

/**
 * Any plain data: JSON with the byte arrays lifted out. For whatever is not asked often enough to
 * have a form of its own.
 */
export const plain: Form<unknown> = {
  write(to, value) {
    const chunks: Uint8Array[] = [];
    to.text(JSON.stringify(lift(value, chunks)));
    for (const chunk of chunks) to.bytes(chunk);
  },
  read(from) {
    // Copies: who gets such a value may keep it, and the buffer is used again.
    return put(JSON.parse(from.text()), () => from.bytes().slice());
  },
};

/** Stands for a byte array; `undefined` where JSON would make it null. */
interface Placeholder {
  readonly $: "bytes" | "undefined";
}

function lift(value: unknown, chunks: Uint8Array[]): unknown {
  switch (typeof value) {
    case "undefined":
      return { $: "undefined" } satisfies Placeholder;
    case "number":
      // JSON would silently make null of it, and null a time of 1970.
      if (!Number.isFinite(value)) throw new Error("a number for the store must be finite");
      return value;
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return value;
  if (value instanceof Uint8Array) {
    chunks.push(value);
    return { $: "bytes" } satisfies Placeholder;
  }
  if (Array.isArray(value)) return value.map((member) => lift(member, chunks));
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copy[key] = lift(member, chunks);
  return copy;
}

function put(value: unknown, nextBytes: () => Uint8Array): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = put(value[index], nextBytes);
    return value;
  }
  const object = value as Record<string, unknown>;
  if (object.$ !== undefined) return object.$ === "bytes" ? nextBytes() : undefined;
  for (const key in object) {
    const member = object[key];
    if (typeof member === "object") object[key] = put(member, nextBytes);
  }
  return object;
}
