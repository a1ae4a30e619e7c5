import { roomAfter, roomBefore } from "../../../crypto/envelope.ts";
import type { BodyPlace } from "../../../crypto/late-seal.ts";
import { checkInsertion, type Insertion } from "../../../kernel/body.ts";
import { isSealed, type Sealed, type Unsealed } from "../../../kernel/sealed.ts";
import type { NewMessage } from "../../../services/sqs/store.ts";
import { type Form, readOptional, writeOptional } from "./form.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";
import { type BodyHolder, unsealed } from "./shared-bodies.ts";

/** How a body goes over. The array of one that several messages have goes over once. */
const ways = { alone: 0, sealed: 1, first: 2, again: 3 } as const;

/** Where in a body something was inserted. */
const spot: Form<Spot> = {
  write(to, { before, length }) {
    to.size(before);
    to.size(length);
  },
  read: (from) => ({ before: from.size(), length: from.size() }),
};

const inserted: Form<Insertion> = {
  write(to, { before, bytes }) {
    to.size(before);
    to.bytes(bytes);
  },
  read: (from) => ({ before: from.size(), bytes: from.bytes() }),
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
    const number = to.amend(sealed.body, ways.first);
    if (number === undefined) writeWhole(to, sealed);
    else writeAgain(to, number, sealed);
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
    const owner = { ...place, dataKeyId, sealingArn: from.name() };
    if (way === ways.again) {
      const number = from.size();
      return from.shared.again(number, { ...owner, insertion: readOptional(from, inserted) });
    }
    const at = readOptional(from, spot);
    const room = from.bytes();
    if (way === ways.alone) {
      from.shared.alone();
      return from.sealer.seal(room, owner) ?? unsealed(room, owner);
    }
    const { rest, insertion } = at ? takeOut(room, at) : { rest: room, insertion: undefined };
    return from.shared.first(rest, { ...owner, insertion });
  },
};

function writeWhole(to: Outgoing, { sealingArn, body, insertion }: Unsealed): void {
  if (insertion) checkInsertion(body, insertion);
  to.byteAbout(body, ways.alone);
  to.name(sealingArn);
  const at = insertion && { before: insertion.before, length: insertion.bytes.length };
  writeOptional(to, spot, at);
  to.body({ bytes: body, insertion }, roomBefore, roomAfter);
}

function writeAgain(to: Outgoing, number: number, again: Unsealed): void {
  const { sealingArn, body, insertion } = again;
  if (insertion) checkInsertion(body, insertion);
  to.byte(ways.again);
  to.name(sealingArn);
  to.size(number);
  writeOptional(to, inserted, insertion);
}

interface Spot {
  readonly before: number;
  readonly length: number;
}

/** The room of the body that others have too, and what only its first message has. */
function takeOut(room: Uint8Array, { before, length }: Spot) {
  const end = room.length - roomAfter;
  const at = end - before - length;
  const bytes = room.slice(at, at + length);
  room.copyWithin(at, at + length, end);
  room.fill(0, end - length);
  return { rest: room.subarray(0, room.length - length), insertion: { before, bytes } };
}
