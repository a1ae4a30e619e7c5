import type { GetMeta, PutMeta } from "../../kernel/meta.ts";
import { type Acts, each, together } from "./act.ts";

export const metaActs: Acts<PutMeta | GetMeta> = {
  "meta.put": each(async (work, { name, value }) => {
    await work.run(
      `INSERT INTO meta VALUES ($1::text, $2::bytea)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      name,
      value,
    );
    return undefined;
  }),
  "meta.get": together(async (work, { name }) => {
    const [row] = await work.all<{ value: Uint8Array }>(
      "SELECT value FROM meta WHERE name = $1::text",
      name,
    );
    return row?.value;
  }),
};
