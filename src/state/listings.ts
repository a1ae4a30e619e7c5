import type { RecordEntry, RecordRange } from "../kernel/records.ts";
import type { Soon } from "../kernel/soon.ts";
import { keep, type Read } from "./read.ts";
import { groupName, rangeName } from "./record-names.ts";

export type Listing = readonly RecordEntry<object>[];

/** The listings of one kind in one place, by range. */
interface Group {
  readonly ranges: Map<string, Read<Listing>>;
  /** Listings, and entries in them. */
  weight: number;
}

/**
 * Listings that were read. Each topic has one of its subscriptions, each key one of its grants: not
 * their number is bounded but what they hold in all, one for each listing and each entry. Beyond it
 * the group that was begun first goes.
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
    const name = rangeName(range);
    let group = this.#groups.get(groupKey);
    const known = group?.ranges.get(name);
    if (known !== undefined) return known.value;
    if (group === undefined) {
      group = { ranges: new Map(), weight: 0 };
      this.#groups.set(groupKey, group);
    }
    return this.#keep(groupKey, group, name, read);
  }

  #keep(groupKey: string, group: Group, name: string, read: () => Promise<Listing>) {
    const add = (weight: number) => {
      // It may have been forgotten meanwhile.
      if (this.#groups.get(groupKey) !== group) return;
      group.weight += weight;
      this.#weight += weight;
    };
    add(1);
    const reading = read().then(
      (listing) => {
        add(listing.length);
        return listing;
      },
      (error: unknown) => {
        add(-1);
        throw error;
      },
    );
    const kept = keep(group.ranges, name, reading);
    while (this.#weight > this.#weightMax) this.#forgetFirst();
    return kept;
  }

  #forgetFirst(): void {
    const [first = ""] = this.#groups.keys();
    this.forget(first);
  }

  /** All listings of a group, as `groupName` names it. */
  forget(groupKey: string): void {
    const group = this.#groups.get(groupKey);
    if (group === undefined) return;
    this.#groups.delete(groupKey);
    this.#weight -= group.weight;
  }

  /** All whose group's name begins so. */
  forgetAll(prefix = ""): void {
    for (const groupKey of this.#groups.keys()) {
      if (groupKey.startsWith(prefix)) this.forget(groupKey);
    }
  }
}
