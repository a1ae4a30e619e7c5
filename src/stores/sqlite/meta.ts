import type { DatabaseSync } from "node:sqlite";
import type { GetMeta, PutMeta } from "../../kernel/meta.ts";
import { type Acts, prepare } from "./act.ts";

export function metaActs(database: DatabaseSync): Acts<PutMeta | GetMeta> {
  const put = prepare(database, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  const get = prepare<{ value: Uint8Array }>(database, "SELECT value FROM meta WHERE name = ?");
  return {
    // A key ring under an old root key must not be found any more: its remains are overwritten.
    "meta.put": ({ name, value }) => {
      database.exec("PRAGMA secure_delete = 1");
      try {
        put.run(name, value);
      } finally {
        database.exec("PRAGMA secure_delete = 0");
      }
      return undefined;
    },
    "meta.get": ({ name }) => get.get(name)?.value,
  };
}
