import type { DatabaseSync } from "node:sqlite";
import type { GetMeta, PutMeta } from "../../kernel/meta.ts";
import { type Acts, prepare } from "./act.ts";

export function metaActs(database: DatabaseSync): Acts<PutMeta | GetMeta> {
  const put = prepare(database, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  const get = prepare<{ value: Uint8Array }>(database, "SELECT value FROM meta WHERE name = ?");
  return {
    "meta.put": ({ name, value }) => {
      put.run(name, value);
      return undefined;
    },
    "meta.get": ({ name }) => get.get(name)?.value,
  };
}
