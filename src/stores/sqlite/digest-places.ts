/**
 * Under which sequence rows with a digest may lie: 12 bytes of memory for a slot, up to three slots
 * for a digest. A place is told by four bytes of the digest: what is found must be compared.
 */
export interface DigestPlaces {
  add(digest: Uint8Array, sequence: number): void;
  /** Whether it was there. */
  remove(digest: Uint8Array, sequence: number): boolean;
  /** Nearly always none or one. */
  of(digest: Uint8Array): readonly number[];
}

interface Slots {
  /** 0: free. */
  readonly sequences: Float64Array;
  readonly marks: Uint32Array;
}

const slotsMin = 1024;
const none: readonly number[] = [];

/** Open addressing, one slot after the other; digests are keyed, so nobody chooses where they fall. */
export function createDigestPlaces(): DigestPlaces {
  let slots = freeSlots(slotsMin);
  let used = 0;

  function put({ sequences, marks }: Slots, mark: number, sequence: number): void {
    const last = marks.length - 1;
    let at = mark & last;
    while (sequences[at] !== 0) at = (at + 1) & last;
    sequences[at] = sequence;
    marks[at] = mark;
  }

  function resize(size: number): void {
    const larger = freeSlots(size);
    const { sequences, marks } = slots;
    for (let at = 0; at < marks.length; at++) {
      const sequence = sequences[at] ?? 0;
      if (sequence !== 0) put(larger, marks[at] ?? 0, sequence);
    }
    slots = larger;
  }

  /** Moves what follows towards the free slot, so that no search ends there too early. */
  function close(free: number): void {
    const { sequences, marks } = slots;
    const last = marks.length - 1;
    let hole = free;
    for (let at = (hole + 1) & last; sequences[at] !== 0; at = (at + 1) & last) {
      const mark = marks[at] ?? 0;
      if (((at - mark) & last) < ((at - hole) & last)) continue;
      sequences[hole] = sequences[at] ?? 0;
      marks[hole] = mark;
      hole = at;
    }
    sequences[hole] = 0;
  }

  return {
    add(digest, sequence) {
      if ((used + 1) * 3 > slots.marks.length * 2) resize(slots.marks.length * 2);
      put(slots, markOf(digest), sequence);
      used += 1;
    },
    remove(digest, sequence) {
      const { sequences, marks } = slots;
      const last = marks.length - 1;
      for (let at = markOf(digest) & last; sequences[at] !== 0; at = (at + 1) & last) {
        if (sequences[at] !== sequence) continue;
        close(at);
        used -= 1;
        if (marks.length > slotsMin && used * 8 < marks.length) resize(marks.length / 2);
        return true;
      }
      return false;
    },
    of(digest) {
      const { sequences, marks } = slots;
      const last = marks.length - 1;
      const mark = markOf(digest);
      let found: number[] | undefined;
      for (let at = mark & last; sequences[at] !== 0; at = (at + 1) & last) {
        if (marks[at] !== mark) continue;
        found ??= [];
        found.push(sequences[at] ?? 0);
      }
      return found ?? none;
    },
  };
}

function freeSlots(size: number): Slots {
  return { sequences: new Float64Array(size), marks: new Uint32Array(size) };
}

function markOf([a = 0, b = 0, c = 0, d = 0]: Uint8Array): number {
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
