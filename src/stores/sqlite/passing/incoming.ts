import { LateSealer } from "../../../crypto/late-seal.ts";
import { type Form, headBytes, namesForgotten, namesMax } from "./form.ts";
import { SharedBodies } from "./shared-bodies.ts";

/** The end of the asking threads: no body goes there unsealed. */
const noSealer = new LateSealer();

/** Reads the groups that an `Outgoing` of the other thread made: all of them, in order. */
export class Incoming {
  /** Seals what came unsealed, as it is read. */
  readonly sealer: LateSealer;
  /** Bodies that are sealed later: once the commit is read. */
  readonly shared = new SharedBodies();
  private buffer = Buffer.alloc(0);
  private view = new DataView(new ArrayBuffer(0));
  private at = 0;
  private left = 0;
  private viewed = false;
  private names: string[] = [];

  constructor(sealer = noSealer) {
    this.sealer = sealer;
  }

  /** Begins with a group. */
  open(buffer: ArrayBuffer): void {
    this.buffer = Buffer.from(buffer);
    this.view = new DataView(buffer);
    this.at = headBytes;
    this.left = this.view.getUint32(0);
    this.viewed = false;
  }

  /** Entries of the group that are still to be read. */
  get count(): number {
    return this.left;
  }

  /** Whether byte arrays that were read are views on the group's buffer. */
  get isViewed(): boolean {
    return this.viewed;
  }

  next<T>(form: Pick<Form<T>, "read">): T {
    this.left -= 1;
    if (this.byte() === namesForgotten) this.names = [];
    return form.read(this);
  }

  byte(): number {
    return this.buffer[this.at++] ?? 0;
  }

  size(): number {
    let value = this.byte();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let shift = 7; ; shift += 7) {
      const more = this.byte();
      value |= (more & 0x7f) << shift;
      if (more < 0x80) return value;
    }
  }

  number(): number {
    this.at += 8;
    return this.view.getFloat64(this.at - 8);
  }

  text(): string {
    const size = this.size();
    if (size === 0) return "";
    const start = this.at;
    this.at += size >>> 1;
    return (size & 1) === 0
      ? this.buffer.toString("latin1", start, this.at)
      : this.buffer.toString("utf8", start, this.at);
  }

  name(): string {
    const number = this.size();
    if (number > 0) return this.names[number - 1] ?? "";
    const name = this.text();
    if (this.names.length >= namesMax) this.names = [];
    this.names.push(name);
    return name;
  }

  /** A view on the group's buffer. */
  bytes(): Uint8Array {
    const length = this.size();
    this.viewed = true;
    this.at += length;
    return new Uint8Array(this.view.buffer, this.at - length, length);
  }
}
