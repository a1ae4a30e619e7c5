import type { Soon } from "../kernel/soon.ts";

/** Something read from the store: under way, then there. */
export interface Read<T> {
  value: Soon<T>;
}

/** Remembers a read: others wait for it while it is under way; one that fails is forgotten. */
export function keep<T>(home: Map<string, Read<T>>, name: string, reading: Promise<T>): Promise<T> {
  const settled = reading.then(
    (value) => {
      read.value = value;
      return value;
    },
    (error: unknown) => {
      if (home.get(name) === read) home.delete(name);
      throw error;
    },
  );
  const read: Read<T> = { value: settled };
  home.set(name, read);
  return settled;
}
