import { chunkBytesMax, streamOpener, streamSealer } from "../crypto/stream.ts";
import { BackupError } from "./error.ts";

/*
 * The payload of a backup is a sequence of frames, type(1) ‖ u32be length ‖ bytes, cut into chunks
 * of an authenticated stream without regard to where a frame ends.
 */
export const frameTypes = {
  /** Nothing: says that the writer lives while it has nothing to say. */
  alive: 0,
  /** JSON `Manifest`, the first of all. */
  manifest: 1,
  /** JSON `TableShape`; rows of this table follow. */
  table: 2,
  /** Rows, whole ones. */
  rows: 3,
  /** JSON `FileHead`; `fileBytes` of this file follow. */
  file: 4,
  fileBytes: 5,
  /** JSON `Totals`, the last of all. */
  end: 6,
  /** JSON `StoreHead`; tables follow. */
  store: 7,
} as const;

export interface Frame {
  readonly type: number;
  readonly bytes: Buffer;
}

const headBytes = 5;
/** A row holds a body of 1 MiB at most; a frame holds one batch. */
const frameBytesMax = 16 * 1024 * 1024;

export function jsonFrame(type: number, value: object): Frame {
  return { type, bytes: Buffer.from(JSON.stringify(value)) };
}

/** Throws BackupError if the bytes are no JSON object. */
export function parseFrame<T>({ bytes }: Frame): T {
  try {
    return JSON.parse(bytes.toString("utf8")) as T;
  } catch {
    throw new BackupError("the backup is damaged: a part of it is not what it should be");
  }
}

/** Frames as chunks of an authenticated stream; the last chunk says that it is. */
export async function* sealFrames(
  key: Uint8Array,
  frames: AsyncIterable<Frame>,
): AsyncGenerator<Buffer> {
  const seal = streamSealer(key);
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const frame of frames) {
    const head = Buffer.alloc(headBytes);
    head[0] = frame.type;
    head.writeUInt32BE(frame.bytes.length, 1);
    waiting.push(head, frame.bytes);
    size += headBytes + frame.bytes.length;
    const urgent = frame.type === frameTypes.alive;
    if (size < chunkBytesMax && !urgent) continue;
    const joined = Buffer.concat(waiting);
    let at = 0;
    for (; joined.length - at >= chunkBytesMax; at += chunkBytesMax) {
      yield seal(joined.subarray(at, at + chunkBytesMax), false);
    }
    const rest = joined.subarray(at);
    if (urgent) yield seal(rest, false);
    waiting = urgent ? [] : [rest];
    size = urgent ? 0 : rest.length;
  }
  yield seal(Buffer.concat(waiting), true);
}

/**
 * The frames of an authenticated stream. Nothing is handed out before its chunk was found genuine.
 *
 * Throws BackupError if the key is another one, or if anything was changed, moved, left out, added
 * or cut off: at the place where that shows.
 */
export async function* openFrames(
  key: Uint8Array,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Frame> {
  const reader = streamOpener(key);
  let rest: Buffer = Buffer.alloc(0);
  for await (const bytes of source) {
    if (reader.ended) throw new BackupError("the backup is damaged: bytes follow after its end");
    for (const chunk of reader.push(bytes)) {
      if (chunk.status === "damaged") {
        throw new BackupError("the backup is damaged: bytes in it were changed, moved or left out");
      }
      rest = rest.length === 0 ? chunk.plaintext : Buffer.concat([rest, chunk.plaintext]);
      for (let frame = cutFrame(rest); frame !== undefined; frame = cutFrame(rest)) {
        rest = rest.subarray(headBytes + frame.bytes.length);
        yield frame;
      }
    }
  }
  if (!reader.ended) throw new BackupError("the backup is cut off: its end is missing");
  if (rest.length > 0) throw new BackupError("the backup is damaged: its last part is not whole");
}

function cutFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < headBytes) return undefined;
  const length = bytes.readUInt32BE(1);
  if (length > frameBytesMax) throw new BackupError("the backup is damaged: a part is too long");
  const end = headBytes + length;
  if (bytes.length < end) return undefined;
  return { type: bytes[0] ?? 0, bytes: bytes.subarray(headBytes, end) };
}
