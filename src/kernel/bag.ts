/** Something that a bag holds; `place` is the bag's own. */
export interface Bagged {
  place: number;
}

export interface Bag<T> {
  /** In no order. */
  readonly items: readonly T[];
  readonly size: number;
  add(item: T): void;
  /** Of an item that is in the bag. */
  remove(item: T): void;
}

/**
 * What comes and goes with every request is kept in this and not in a `Set` or `Map`: these grow a
 * new table every few entries, and each old table points to the next. Once the first of them has
 * moved to V8's old generation, all later ones and whatever they held are kept alive by it until a
 * full collection: short pauses become long ones, and short-lived objects fill the old generation.
 */
export function bag<T extends Bagged>(): Bag<T> {
  const items: T[] = [];
  return {
    items,
    get size() {
      return items.length;
    },
    add(item) {
      item.place = items.length;
      items.push(item);
    },
    remove(item) {
      const last = items.pop();
      if (last === undefined || last === item) return;
      items[item.place] = last;
      last.place = item.place;
    },
  };
}
