import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The database as the `sqlite3` tool sees it while the server is stopped. */
export function withDatabase<T>(dataFolder: string, act: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(dataFolder, "sealpost.db"));
  try {
    return act(database);
  } finally {
    database.close();
  }
}

/** Contents of all records of a kind by their id. */
export function recordContents(dataFolder: string, kind: string): ReadonlyMap<string, string> {
  return withDatabase(dataFolder, (database) => {
    const rows = database.prepare("SELECT id, content FROM records WHERE kind = ?").all(kind);
    return new Map(rows.map(({ id, content }) => [String(id), String(content)]));
  });
}
