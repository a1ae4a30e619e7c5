import type { BodyPlace, BodyShare, LateSealer } from "../../../crypto/late-seal.ts";
import { assert } from "../../../kernel/errors.ts";
import type { NewMessage } from "../../../services/sqs/store.ts";

/** What of a message is written anew once its body is sealed. */
export type BodyHolder = { -readonly [K in "sealed" | "placeMac"]: NewMessage[K] };

interface Share extends BodyShare {
  holder: BodyHolder;
}

interface SharedBody {
  readonly room: Uint8Array;
  readonly shares: Share[];
}

/**
 * Bodies of a commit that several of its messages have. Under what they are sealed follows from all
 * of these messages, so they wait until the commit is read.
 */
export class SharedBodies {
  /** In the order in which they came; undefined: one message has it. */
  private readonly bodies: (SharedBody | undefined)[] = [];
  private latest: Share | undefined;

  /** A body came that one message has. */
  alone(): void {
    this.bodies.push(undefined);
  }

  /** Of the first message that has this body. */
  first(room: Uint8Array, share: BodyShare): BodyHolder {
    const number = this.bodies.push({ room, shares: [] }) - 1;
    return this.again(number, share);
  }

  /** Of a message that has a body that came before; bodies are counted from 0. */
  again(number: number, share: BodyShare): BodyHolder {
    const shared = this.bodies[number];
    assert(shared, "a body comes before what shares it");
    const holder = unsealed(shared.room, share);
    this.latest = { ...share, holder };
    shared.shares.push(this.latest);
    return holder;
  }

  /** The message has been put together of what `first` or `again` answered last. */
  become(holder: BodyHolder, message: BodyHolder): void {
    if (this.latest?.holder === holder) this.latest.holder = message;
  }

  /** Seals all of them. What names a data key that was dropped stays unsealed. */
  seal(sealer: LateSealer): void {
    for (const body of this.bodies) {
      if (!body) continue;
      const { room, shares } = body;
      const placed = sealer.sealShared(room, shares) ?? [];
      for (const [index, { sealed, placeMac }] of placed.entries()) {
        const holder = shares[index]?.holder;
        assert(holder, "each share of a body is answered");
        holder.sealed = sealed;
        holder.placeMac = placeMac;
      }
    }
    this.bodies.length = 0;
    this.latest = undefined;
  }
}

/** A body that nobody will store as it is. */
export function unsealed(
  body: Uint8Array,
  { dataKeyId, sealingArn, insertion }: Omit<BodyShare, keyof BodyPlace>,
): BodyHolder {
  return { sealed: { dataKeyId, sealingArn, body, insertion }, placeMac: unplaced };
}

const unplaced = new Uint8Array(0);
