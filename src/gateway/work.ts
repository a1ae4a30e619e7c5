import type { Command } from "../kernel/command.ts";
import { type Soon, soon } from "../kernel/soon.ts";
import type { Room } from "./room.ts";

/**
 * An eighth is enough once the commit is packed. If all of it were held until the answer, gateway
 * and store would wait for each other in turn.
 */
const packedShare = 0.125;

/** What an outer request and the calls inside it share: audit records, commits, memory. */
export class Work {
  readonly events: Command[] = [];
  /** A secret was handed out: the answer waits until the audit is durable. */
  secret = false;
  /** Others wait for what it holds now: it must not wait for room. */
  holdsTurn = false;
  readonly #room: Room;
  #roomBytes = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  commit: (commands: readonly Command[], unconditional: boolean) => Promise<readonly unknown[]> =
    async () => [];

  /** See `Call.reserve`. */
  reserve(bytes: number): Soon<void> {
    if (this.holdsTurn || this.#roomBytes > 0) return;
    return soon(this.#room.take(bytes), (taken) => {
      this.#roomBytes = taken;
    });
  }

  /** The commit is packed for the store. */
  packed(): void {
    this.#keep(Math.round(this.#roomBytes * packedShare));
  }

  /** The attempt is over. */
  leaveRoom(): void {
    this.#keep(0);
  }

  #keep(bytes: number): void {
    const leftBytes = this.#roomBytes - bytes;
    this.#roomBytes = bytes;
    if (leftBytes > 0) this.#room.giveBack(leftBytes);
  }
}
