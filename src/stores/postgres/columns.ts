/**
 * Columns of many rows as one parameter: arrays in PostgreSQL's binary form, so that a bulk
 * statement costs one encoding and no quoting. A statement names the type: `unnest($1::bytea[])`.
 */
export type Column = Buffer;

const typeIds = { bytea: 17, int8: 20, text: 25 } as const;

export function texts(values: readonly (string | null)[]): Column {
  return encode(
    typeIds.text,
    values.map((value) => (value === null ? null : Buffer.from(value, "utf8"))),
  );
}

export function blobs(values: readonly (Uint8Array | null)[]): Column {
  return encode(typeIds.bytea, values);
}

/** Whole numbers up to 2^53. */
export function integers(values: readonly (number | null)[]): Column {
  return encode(
    typeIds.int8,
    values.map((value) => (value === null ? null : integer(value))),
  );
}

function integer(value: number): Uint8Array {
  // As elsewhere between services and stores: a number that has no exact form is a bug.
  if (!Number.isFinite(value)) throw new Error("a number for the store must be finite");
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(Math.trunc(value)));
  return bytes;
}

/** dimensions ‖ has nulls ‖ element type ‖ length ‖ lower bound ‖ (length ‖ bytes)… */
function encode(typeId: number, values: readonly (Uint8Array | null)[]): Buffer {
  const headerBytes = 20;
  let length = headerBytes;
  let nulls = false;
  for (const value of values) {
    length += 4 + (value?.length ?? 0);
    nulls ||= value === null;
  }
  const array = Buffer.allocUnsafe(length);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(nulls ? 1 : 0, 4);
  array.writeInt32BE(typeId, 8);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  let at = headerBytes;
  for (const value of values) {
    at = array.writeInt32BE(value?.length ?? -1, at);
    if (value === null) continue;
    array.set(value, at);
    at += value.length;
  }
  return array;
}
