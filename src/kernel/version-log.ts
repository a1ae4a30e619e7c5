import { assert } from "./errors.ts";

/**
 * Which accounts' configuration changed, as every thread of a process sees it at once: a ring in
 * shared memory. One thread writes, the one that makes changes durable, and does so before it
 * answers; so whoever looks after an answer has left finds the change here.
 */
const entriesMax = 1024;
const entryBytes = 48;
const headBytes = 8;
const idAt = 2;
const versionAt = 40;
const idBytesMax = versionAt - idAt;

export interface VersionChange {
  readonly accountId: string;
  readonly version: number;
  /** Which client of the store asked for it. */
  readonly asker: number;
}

export function versionMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + entriesMax * entryBytes);
}

/** For the one writer. */
export function versionWriter(memory: SharedArrayBuffer): (change: VersionChange) => void {
  const head = new Int32Array(memory, 0, 1);
  const bytes = new Uint8Array(memory);
  const view = new DataView(memory);
  let count = Atomics.load(head, 0);
  return ({ accountId, version, asker }) => {
    assert(accountId.length <= idBytesMax, "an account id is short");
    const at = placeOf(count);
    view.setUint8(at, asker);
    view.setUint8(at + 1, accountId.length);
    bytes.set(Buffer.from(accountId, "latin1"), at + idAt);
    view.setFloat64(at + versionAt, version);
    count = (count + 1) | 0;
    // INVARIANT: last, so that whoever sees the count sees the entry.
    Atomics.store(head, 0, count);
  };
}

/**
 * For one thread that reads, from what is there on: tells it of what others changed since it last
 * looked. False: too much happened since; anything may have changed.
 */
export function versionReader(
  memory: SharedArrayBuffer,
  ownAsker: number,
): (tell: (accountId: string, version: number) => void) => boolean {
  const head = new Int32Array(memory, 0, 1);
  const bytes = new Uint8Array(memory);
  const view = new DataView(memory);
  let seen = Atomics.load(head, 0);
  return (tell) => {
    const count = Atomics.load(head, 0);
    if (count === seen) return true;
    const changes: VersionChange[] = [];
    for (
      let index = seen;
      index !== count && changes.length < entriesMax;
      index = (index + 1) | 0
    ) {
      const at = placeOf(index);
      const id = Buffer.from(bytes.slice(at + idAt, at + idAt + view.getUint8(at + 1)));
      const accountId = id.toString("latin1");
      changes.push({
        accountId,
        version: view.getFloat64(at + versionAt),
        asker: view.getUint8(at),
      });
    }
    // Read first, believed afterwards: the writer may have come round meanwhile.
    const whole = ((Atomics.load(head, 0) - seen) | 0) < entriesMax;
    seen = count;
    if (!whole) return false;
    for (const { accountId, version, asker } of changes) {
      if (asker !== ownAsker) tell(accountId, version);
    }
    return true;
  };
}

function placeOf(count: number): number {
  return headBytes + (count & (entriesMax - 1)) * entryBytes;
}
