import { roomAfter, roomBefore } from "../../../crypto/envelope.ts";
import type { BodyPlace } from "../../../crypto/late-seal.ts";
import { checkInsertion, type Insertion } from "../../../kernel/body.ts";
import { isSealed, type Sealed } from "../../../kernel/sealed.ts";
import type { NewMessage } from "../../../services/sqs/store.ts";
import { type Form, readOptional, writeOptional } from "./form.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";
import { type BodyHolder, unsealed } from "./shared-bodies.ts";

/** How a body goes over. The array of one that several messages have goes over once. */
const ways = { alone: 0, sealed: 1, first: 2, again: 3 } as const;

const inserted: Form<Insertion> = {
  write(to, { before, bytes }) {
    to.number(before);
    to.bytes(bytes);
  },
  read: (from) => ({ before: from.number(), bytes: from.bytes() }),
};

/** An unsealed body goes over in the room of its envelope, and becomes it when it is read. */
export const newBody = {
  write(to: Outgoing, { sealed, placeMac }: Pick<NewMessage, "sealed" | "placeMac">): void {
    to.name(sealed.dataKeyId);
    if (isSealed(sealed)) {
      to.byte(ways.sealed);
      to.bytes(sealed.bytes);
      to.bytes(placeMac);
      return;
    }
    if (sealed.insertion) checkInsertion(sealed.body, sealed.insertion);
    const again = to.amendIfLatest(sealed.body, ways.first);
    if (again) to.byte(ways.again);
    else to.byteAbout(sealed.body, ways.alone);
    to.name(sealed.sealingArn);
    writeOptional(to, inserted, sealed.insertion);
    if (!again) to.bytes(sealed.body, roomBefore, roomAfter);
  },
  /** INVARIANT: what is shared is sealed once the whole commit is read: `SharedBodies.seal`. */
  read(from: Incoming, place: BodyPlace): BodyHolder {
    const dataKeyId = from.name();
    const way = from.byte();
    if (way === ways.sealed) {
      // It was sealed when it was written.
      const sealed = { dataKeyId, bytes: from.bytes() } as unknown as Sealed;
      return { sealed, placeMac: from.bytes() };
    }
    const sealingArn = from.name();
    const share = { ...place, dataKeyId, sealingArn, insertion: readOptional(from, inserted) };
    if (way === ways.again) return from.shared.again(share);
    const room = from.bytes();
    if (way === ways.first) return from.shared.first(room, share);
    return from.sealer.seal(room, share) ?? unsealed(room, share);
  },
};
