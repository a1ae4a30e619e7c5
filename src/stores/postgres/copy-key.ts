import type { PortableTable } from "../../kernel/portable.ts";
import type { TableRow } from "../../kernel/tables.ts";

/*
 * The last row of a table that was copied, as far as it names the row: what stands behind the key
 * is left out. Bytes are base64, so the types of the table tell them from texts.
 */

export function encodeKey({ types, keyColumns }: PortableTable, row: TableRow): string {
  return JSON.stringify(
    row.slice(0, keyColumns).map((value, index) => {
      return types[index] === "bytes" && value instanceof Uint8Array
        ? { bytes: Buffer.from(value).toString("base64") }
        : value;
    }),
  );
}

export function decodeKey(text: string): TableRow {
  const values: readonly (string | number | { readonly bytes: string })[] = JSON.parse(text);
  return values.map((value) =>
    typeof value === "object" ? new Uint8Array(Buffer.from(value.bytes, "base64")) : value,
  );
}
