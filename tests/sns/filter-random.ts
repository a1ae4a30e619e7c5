import type { ReferenceMessage } from "./filter-reference.ts";

/** A small seeded generator (mulberry32): a failure is replayed by its seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Random policies and messages over few names and values, so that many of them meet. */
export interface Generator {
  policy(scope: string): object;
  message(): ReferenceMessage;
}

const names = ["a", "b", "c", "$or"];
const texts = ["x", "xy", "yx", "X", "", "10.0.0.7", "10.0.1.7", "2001:db8::5", "5", "é"];
const numbers = [0, 1, -1, 5, 5.5, 100];
const signs = ["<", "<="];

export function generator(random: () => number): Generator {
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const chance = (share: number) => random() < share;
  const leaf = () =>
    chance(0.6) ? pick(texts) : chance(0.7) ? pick(numbers) : pick([true, false, null]);
  const some = <T>(most: number, make: () => T): T[] =>
    Array.from({ length: 1 + below(most) }, make);

  const numeric = () => {
    const low = pick(numbers);
    if (chance(0.3)) return ["=", low];
    if (chance(0.5)) return [pick(["<", "<=", ">", ">="]), low];
    return [pick([">", ">="]), low, pick(signs), low + 1 + below(10)];
  };
  const rule = (): unknown => {
    if (chance(0.45)) return leaf();
    const text = pick(texts);
    switch (below(8)) {
      case 0:
        return { prefix: text };
      case 1:
        return { suffix: text };
      case 2:
        return { "equals-ignore-case": text };
      case 3:
        return {
          "anything-but": chance(0.5)
            ? pick([text, pick(numbers)])
            : some(2, () => pick([pick(texts), pick(numbers)])),
        };
      case 4:
        return { "anything-but": { prefix: text } };
      case 5:
        return { numeric: numeric() };
      case 6:
        return { exists: chance(0.5) };
      default:
        return { cidr: pick(["10.0.0.0/24", "10.0.0.0/16", "2001:db8::/64", "10.0.0.7/32"]) };
    }
  };
  const members = (nested: boolean, depth: number): object => {
    const entries: [string, unknown][] = some(2, () => {
      const name = pick(names);
      if (name === "$or" && depth < 2) {
        return [name, [members(nested, depth + 1), members(nested, depth + 1)]];
      }
      const dotted = nested && chance(0.2) ? `${pick(names)}.${pick(names)}` : name;
      if (nested && depth < 3 && chance(0.3)) return [dotted, members(nested, depth + 1)];
      return [dotted, some(2, rule)];
    });
    return Object.fromEntries(entries);
  };
  const value = (depth: number): unknown => {
    if (depth < 3 && chance(0.3)) return object(depth + 1);
    if (depth < 3 && chance(0.2)) return chance(0.2) ? [] : some(2, () => value(depth + 1));
    return leaf();
  };
  const object = (depth: number): object =>
    Object.fromEntries(
      some(3, () => [chance(0.15) ? `${pick(names)}.${pick(names)}` : pick(names), value(depth)]),
    );
  const attribute = () => {
    const kind = below(5);
    if (kind === 0) return { Type: "Number", Value: chance(0.9) ? String(pick(numbers)) : "much" };
    if (kind === 1) return { Type: "Binary", Value: "eA==" };
    if (kind < 4) return { Type: chance(0.8) ? "String" : "String.own", Value: pick(texts) };
    const Value = chance(0.9) ? JSON.stringify(chance(0.1) ? [] : some(2, leaf)) : "[";
    return { Type: "String.Array", Value };
  };
  const attributes = () =>
    chance(0.1) ? undefined : Object.fromEntries(some(3, () => [pick(names), attribute()]));
  return {
    policy: (scope) => members(scope === "MessageBody", 0),
    message: () => ({
      attributes: attributes(),
      body: chance(0.95) ? JSON.stringify(object(0)) : pick(["[]", "text", "1", "null"]),
    }),
  };
}
