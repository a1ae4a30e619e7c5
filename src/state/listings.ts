import type { RecordEntry, RecordKey, RecordRange } from "../kernel/records.ts";
import type { Soon } from "../kernel/soon.ts";
import { groupName, pageName } from "./record-names.ts";

export type Listing = readonly RecordEntry<object>[];

/** A listing under way, then there. */
interface Kept {
  value: Soon<Listing>;
  /** One for the listing, and one for each entry when they are there. */
  weight: number;
}

/** The listings of one kind in one place. */
interface Group {
  /** Of all ids that begin alike, by that beginning; "" for all. */
  readonly whole: Map<string, Kept>;
  /** Of some of them, by range. */
  readonly pages: Map<string, Kept>;
}

/**
 * Listings that were read. Each topic has one of its subscriptions, each key one of its grants: not
 * their number is bounded but what they hold in all. Beyond it those go that were begun first, of
 * the kind and place that was.
 */
export class Listings {
  readonly #groups = new Map<string, Group>();
  readonly #weightMax: number;
  #weight = 0;

  constructor(weightMax: number) {
    this.#weightMax = weightMax;
  }

  get(range: RecordRange, read: () => Promise<Listing>): Soon<Listing> {
    const groupKey = groupName(range);
    let group = this.#groups.get(groupKey);
    if (group === undefined) {
      group = newGroup();
      this.#groups.set(groupKey, group);
    }
    const page = pageName(range);
    const home = page === undefined ? group.whole : group.pages;
    const name = page ?? range.idPrefix ?? "";
    return home.get(name)?.value ?? this.#keep(home, name, read());
  }

  #keep(home: Map<string, Kept>, name: string, reading: Promise<Listing>): Promise<Listing> {
    const settled = reading.then(
      (listing) => {
        kept.value = listing;
        // It may have been forgotten meanwhile.
        if (home.get(name) === kept) this.#weigh(kept, listing.length);
        return listing;
      },
      (error: unknown) => {
        if (home.get(name) === kept) this.#drop(home, name);
        throw error;
      },
    );
    const kept: Kept = { value: settled, weight: 0 };
    home.set(name, kept);
    this.#weigh(kept, 1);
    while (this.#weight > this.#weightMax) this.#forgetFirst();
    return settled;
  }

  #weigh(kept: Kept, weight: number): void {
    kept.weight += weight;
    this.#weight += weight;
  }

  #drop(home: Map<string, Kept>, name: string): void {
    this.#weight -= home.get(name)?.weight ?? 0;
    home.delete(name);
  }

  #forgetFirst(): void {
    const [[groupKey, { whole, pages }] = ["", newGroup()]] = this.#groups;
    const home = pages.size > 0 ? pages : whole;
    const [name = ""] = home.keys();
    this.#drop(home, name);
    if (whole.size + pages.size === 0) this.#groups.delete(groupKey);
  }

  /** All listings that a record is in, was in or comes into. */
  forget(key: RecordKey): void {
    const group = this.#groups.get(groupName(key));
    if (group === undefined) return;
    for (let length = 0; length <= key.id.length; length++) {
      this.#drop(group.whole, key.id.slice(0, length));
    }
    for (const name of group.pages.keys()) this.#drop(group.pages, name);
  }

  /** All of a kind and place whose name, as `groupName` makes it, begins so. */
  forgetAll(beginning = ""): void {
    for (const [groupKey, { whole, pages }] of this.#groups) {
      if (!groupKey.startsWith(beginning)) continue;
      this.#groups.delete(groupKey);
      for (const home of [whole, pages]) {
        for (const name of home.keys()) this.#drop(home, name);
      }
    }
  }
}

function newGroup(): Group {
  return { whole: new Map(), pages: new Map() };
}
