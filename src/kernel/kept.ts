/** What an operation left on a call. */
interface Kept {
  readonly place: object;
  readonly value: unknown;
}

/** Has room for one thing that a step of an operation leaves for the next. */
export interface Keeper {
  kept?: Kept | undefined;
}

export interface Place<T> {
  keep(keeper: Keeper, value: T): void;
  /** What was kept here last; undefined: nothing, or something else was since. */
  find(keeper: Keeper): T | undefined;
}

/** A place of its own: nobody else finds what is kept there. */
export function newPlace<T extends object>(): Place<T> {
  const place: Place<T> = {
    keep(keeper, value) {
      keeper.kept = { place, value };
    },
    find({ kept }) {
      // Only `keep` puts something under this place.
      return kept?.place === place ? (kept.value as T) : undefined;
    },
  };
  return place;
}
