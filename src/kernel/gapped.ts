/**
 * A gap in a body: bytes that take too long to make while a sender waits. The body is sealed with
 * the gap; who opens it has it filled (`note` says with what) before anybody sees the body.
 */
export interface Gap {
  /** Byte of the text before which the missing bytes belong. */
  readonly at: number;
  /** How many they will be: known ahead, so that the message has its size. */
  readonly bytes: number;
  /** For whoever fills it; ASCII, at most 255 characters. */
  readonly note: string;
}

export interface GappedBody {
  readonly text: Buffer;
  readonly gap: Gap;
}

/** Makes the bytes of a gap. Throws a Fault where that cannot be done now. */
export type FillGap = (body: GappedBody) => Promise<Uint8Array>;

/** No text of a user begins so: NUL is refused in messages. */
const mark = 0;
const noteAt = 10;

/**
 * mark(1) ‖ at(4) ‖ bytes(4) ‖ note length(1) ‖ note ‖ text.
 *
 * INVARIANT: told apart from a user's body by its first byte, and sealed like one: nobody outside
 * the server makes or changes it.
 */
export function packGapped({ text, gap }: GappedBody): Buffer {
  const note = Buffer.from(gap.note, "latin1");
  const head = Buffer.alloc(noteAt);
  head[0] = mark;
  head.writeUInt32BE(gap.at, 1);
  head.writeUInt32BE(gap.bytes, 5);
  head.writeUInt8(note.length, 9);
  return Buffer.concat([head, note, text]);
}

/** undefined: the body is whole. */
export function unpackGapped(body: Buffer): GappedBody | undefined {
  if (body[0] !== mark) return undefined;
  const textAt = noteAt + body.readUInt8(9);
  return {
    text: body.subarray(textAt),
    gap: {
      at: body.readUInt32BE(1),
      bytes: body.readUInt32BE(5),
      note: body.toString("latin1", noteAt, textAt),
    },
  };
}

/** The whole body. Throws if the filling has another size than the gap. */
export function withGapFilled({ text, gap }: GappedBody, filling: Uint8Array): Buffer {
  if (filling.length !== gap.bytes) throw new Error("a filling must fit its gap");
  return Buffer.concat([text.subarray(0, gap.at), filling, text.subarray(gap.at)]);
}
