import { faultOf } from "./failure.ts";
import { type Feature, features } from "./features.ts";
import { type Connection, connect } from "./session.ts";
import { parsePostgresUrl } from "./url.ts";

/** What a database said about one of the features. */
export interface Probed {
  readonly feature: Feature;
  /** undefined: it has it. Otherwise how it failed. */
  readonly missing: string | undefined;
}

/**
 * Asks a database for each feature that the shared store uses, over one connection; nothing stays.
 * Throws Fault `store-unreachable`, `store-refused`, `store-address`.
 */
export async function probeDatabase(url: string): Promise<readonly Probed[]> {
  const address = parsePostgresUrl(url);
  const connection = await connect(address, "probe");
  try {
    const probed: Probed[] = [];
    for (const feature of features) {
      probed.push({ feature, missing: await probe(connection, feature) });
    }
    return probed;
  } catch (error) {
    throw faultOf(error);
  } finally {
    await connection.close();
  }
}

async function probe(connection: Connection, { probe: sql }: Feature): Promise<string | undefined> {
  try {
    return (await connection.executeRows(sql)).some((row) => row.ok === true)
      ? undefined
      : "the database answers, and does something else";
  } catch (error) {
    await connection.execute("ROLLBACK").catch(() => {});
    if (!connection.usable) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}
