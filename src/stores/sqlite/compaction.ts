import type { DatabaseSync } from "node:sqlite";
import type { CompactStore } from "../../kernel/space.ts";
import { type Acts, prepare } from "./act.ts";

/** The file itself is cut off by the checkpoint that follows such a commit (`space.ts`). */
export function compactionActs(database: DatabaseSync): Acts<CompactStore> {
  const counts = prepare<{ pages: number; free: number; pageBytes: number }>(
    database,
    `SELECT (SELECT page_count FROM pragma_page_count) AS pages,
            (SELECT freelist_count FROM pragma_freelist_count) AS free,
            (SELECT page_size FROM pragma_page_size) AS pageBytes`,
  );
  const space = () => counts.get() ?? { pages: 0, free: 0, pageBytes: 1 };
  return {
    "store.compact": ({ bytesMax }) => {
      const pagesMax = Math.max(1, Math.floor(bytesMax / space().pageBytes));
      database.exec(`PRAGMA incremental_vacuum(${pagesMax})`);
      const { pages, free, pageBytes } = space();
      return { fileBytes: pages * pageBytes, freeBytes: free * pageBytes };
    },
  };
}
