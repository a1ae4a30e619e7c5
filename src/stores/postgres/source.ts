import { Fault } from "../../kernel/errors.ts";
import type { StoreSnapshot } from "../../kernel/tables.ts";
import { faultOf } from "./failure.ts";
import { hold } from "./hold.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import { postgresSnapshot } from "./portable-read.ts";
import { connect } from "./session.ts";
import { parsePostgresUrl } from "./url.ts";

/**
 * The store of a database that no server works on, brought up to date, in the portable form; until
 * it is closed nobody else gets it. Throws Fault `store-busy`, `store-absent` if there is none, and
 * what opening a store throws.
 */
export async function postgresSource(url: string): Promise<StoreSnapshot> {
  const address = parsePostgresUrl(url);
  const connection = await connect(address, "source");
  try {
    await hold(connection, address.schema, "alone");
    const [there] = await connection.all(
      "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1::text",
      address.schema,
    );
    if (!there) throw new Fault("store-absent", `there is no schema ${address.schema}`);
    await migrate(connection, address.schema, migrations);
    const snapshot = await postgresSnapshot(address);
    return {
      ...snapshot,
      async close() {
        await snapshot.close();
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw faultOf(error);
  }
}
