import { join } from "node:path";
import { rootCertificates } from "node:tls";
import type { RootCredentials } from "../config.ts";
import { readFileIfThere, writeFileAtomically } from "../gateway/files.ts";
import type { ServerFile } from "../gateway/server-file.ts";
import type { CliIo } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";
import { shellQuote } from "./shell.ts";

export interface EnvOptions {
  readonly folder: string;
  /** Name the six services one by one, so that others still go to AWS. */
  readonly services: boolean;
  readonly format: "shell" | "json";
}

const serviceNames = ["SNS", "SQS", "KMS", "IAM", "STS", "CLOUDTRAIL"];
/** They would win over, or not fit to, the credentials that are set. */
const unsetNames = ["AWS_PROFILE", "AWS_SESSION_TOKEN"];

/** What leads AWS clients to a server. */
export interface ClientEnvironment {
  readonly set: Readonly<Record<string, string>>;
  /** Names that must not be set beside it. */
  readonly unset: readonly string[];
}

/** The environment for clients of the server that holds the folder. Throws CliError if none does. */
export function clientEnvironment(
  options: Pick<EnvOptions, "folder" | "services">,
  io: CliIo,
): ClientEnvironment {
  const server = findServer(options.folder, io);
  const credentials = findCredentials(options.folder, io);
  return {
    set: { ...endpoints(options, server), ...common(options, server, credentials) },
    unset: unsetNames,
  };
}

/** Prints the environment that leads AWS clients to the running server. */
export function printEnv(options: EnvOptions, io: CliIo): void {
  const { set: variables, unset } = clientEnvironment(options, io);
  if (options.format === "json") {
    io.out(`${JSON.stringify(variables, null, 2)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(variables)) {
    io.out(`export ${name}=${shellQuote(value)}\n`);
  }
  io.out(`unset ${unset.join(" ")}\n`);
}

function endpoints(
  options: Pick<EnvOptions, "services">,
  server: ServerFile,
): Record<string, string> {
  if (!options.services) return { AWS_ENDPOINT_URL: server.httpsUrl };
  return Object.fromEntries(
    serviceNames.map((name) => [`AWS_ENDPOINT_URL_${name}`, server.httpsUrl]),
  );
}

function common(
  options: Pick<EnvOptions, "folder" | "services">,
  server: ServerFile,
  credentials: RootCredentials,
): Record<string, string> {
  return {
    ...authorities(options, server),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: server.region,
    AWS_DEFAULT_REGION: server.region,
  };
}

/** Nothing for an own certificate: whoever issued it, the clients know it by other means. */
function authorities(
  options: Pick<EnvOptions, "folder" | "services">,
  server: ServerFile,
): Record<string, string> {
  if (server.caFile === null) return {};
  const bundle = options.services ? writeBundle(options.folder, server.caFile) : server.caFile;
  return { AWS_CA_BUNDLE: bundle, NODE_EXTRA_CA_CERTS: server.caFile };
}

/**
 * AWS_CA_BUNDLE replaces a client's own list; services that still go to AWS need the public
 * authorities beside ours.
 */
function writeBundle(folder: string, caFile: string): string {
  const path = join(folder, "ca-bundle.pem");
  const text = [readFileIfThere(caFile) ?? "", ...rootCertificates].join("\n");
  if (readFileIfThere(path) !== text) writeFileAtomically(path, text, 0o644);
  return path;
}
