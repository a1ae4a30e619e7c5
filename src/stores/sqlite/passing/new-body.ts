import { roomAfter, roomBefore } from "../../../crypto/envelope.ts";
import { isSealed, type Sealed } from "../../../kernel/sealed.ts";
import type { NewMessage } from "../../../services/sqs/store.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";

type Body = Pick<NewMessage, "sealed" | "placeMac">;

/** An unsealed body goes over in the room of its envelope, and becomes it when it is read. */
export const newBody = {
  write(to: Outgoing, { sealed, placeMac }: Body): void {
    to.name(sealed.dataKeyId);
    to.byte(isSealed(sealed) ? 1 : 0);
    if (isSealed(sealed)) {
      to.bytes(sealed.bytes);
      to.bytes(placeMac);
    } else {
      to.name(sealed.sealingArn);
      to.bytes(sealed.body, roomBefore, roomAfter);
    }
  },
  read(from: Incoming, queueId: string, messageId: string): Body {
    const dataKeyId = from.name();
    if (from.byte() === 1) {
      // It was sealed when it was written.
      const sealed = { dataKeyId, bytes: from.bytes() } as unknown as Sealed;
      return { sealed, placeMac: from.bytes() };
    }
    const sealingArn = from.name();
    const room = from.bytes();
    const sealed = from.sealer.seal(room, dataKeyId, sealingArn);
    if (sealed) return { sealed, placeMac: from.sealer.place(queueId, messageId, sealed) };
    return { sealed: { dataKeyId, sealingArn, body: room }, placeMac: unplaced };
  },
};

const unplaced = new Uint8Array(0);
