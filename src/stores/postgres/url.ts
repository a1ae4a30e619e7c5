import { readFileSync } from "node:fs";
import { Fault } from "../../kernel/errors.ts";

/** Where a shared store lies and how it is reached. */
export interface PostgresAddress {
  /** The address without our own parameters, as the driver takes it. */
  readonly connectionString: string;
  /** Schema that holds the tables; made if absent. */
  readonly schema: string;
  /** Connections for questions that need not wait for commits. */
  readonly poolSize: number;
  readonly tls: TlsOptions | false;
}

export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Certificates are checked, names are not (`verify-ca`). */
  readonly anyName: boolean;
}

const schemaPattern = /^[a-z_][a-z0-9_]{0,49}$/;
const poolMax = 64;
const ownParameters = ["schema", "pool"] as const;
const tlsParameters = ["sslmode", "sslrootcert", "sslcert", "sslkey"] as const;

/**
 * Reads `postgres://user:password@host:port/database?schema=…&pool=…&sslmode=…`. Default schema
 * `sealpost`, two connections for questions, TLS with a checked certificate unless the host is this
 * machine. Throws Fault `store-address` with what is wrong; never with the password.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new Fault("store-address", "the store's address must be postgres://…");
  }
  const parameters = url.searchParams;
  const schema = parameters.get("schema") ?? "sealpost";
  if (!schemaPattern.test(schema)) {
    throw new Fault("store-address", "the schema must be a name of small letters, digits and _");
  }
  const poolSize = Number(parameters.get("pool") ?? "2");
  if (!Number.isInteger(poolSize) || poolSize < 1 || poolSize > poolMax) {
    throw new Fault("store-address", `pool must be a number from 1 to ${poolMax}`);
  }
  const tls = tlsOf(url);
  for (const name of [...ownParameters, ...tlsParameters]) parameters.delete(name);
  return { connectionString: url.href, schema, poolSize, tls };
}

function tlsOf(url: URL): TlsOptions | false {
  const here = ["", "localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const mode = url.searchParams.get("sslmode") ?? (here ? "disable" : "verify-full");
  if (mode === "disable") return false;
  if (!["require", "verify-ca", "verify-full"].includes(mode)) {
    throw new Fault("store-address", "sslmode must be disable, require, verify-ca or verify-full");
  }
  const file = (name: string): string | undefined => {
    const path = url.searchParams.get(name);
    if (path === null) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new Fault("store-address", `cannot read ${name} ${path}`, { cause: error });
    }
  };
  const [ca, cert, key] = [file("sslrootcert"), file("sslcert"), file("sslkey")];
  return {
    rejectUnauthorized: mode !== "require",
    anyName: mode !== "verify-full",
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
