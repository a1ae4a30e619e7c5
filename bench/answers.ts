/** Just enough of HTTP/1.1 to read answers cheaply. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** Where the next answer begins. */
  readonly end: number;
}

/** The first answer in these bytes; undefined while it is not all there. */
export function takeAnswer(bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n", 0, "latin1");
  if (headEnd < 0) return undefined;
  const status = numberAt(bytes, 9);
  const lengthAt = bytes.indexOf("ontent-", 9, "latin1");
  const head = bytes.toString("latin1", Math.max(0, lengthAt), headEnd);
  const length = /ontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return takeChunked(bytes, status, headEnd + 4);
  const end = headEnd + 4 + Number(length);
  if (bytes.length < end) return undefined;
  return { status, body: bytes.subarray(headEnd + 4, end), end };
}

function takeChunked(bytes: Buffer, status: number, bodyAt: number): Answer | undefined {
  const head = bytes.toString("latin1", 0, bodyAt);
  if (!/transfer-encoding: *chunked/i.test(head)) {
    return { status, body: bytes.subarray(bodyAt, bodyAt), end: bodyAt };
  }
  const parts: Buffer[] = [];
  for (let at = bodyAt; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { status, body: Buffer.concat(parts), end };
    parts.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}

function numberAt(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; ; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}
