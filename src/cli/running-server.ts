import type { RootCredentials } from "../config.ts";
import { readServerFile, type ServerFile } from "../gateway/server-file.ts";
import { readCredentialsFile } from "./credentials-file.ts";
import { CliError, type CliIo } from "./io.ts";
import { shellQuote } from "./shell.ts";

/** The server that holds the folder. Throws CliError if none does. */
export function findServer(folder: string, io: CliIo): ServerFile {
  const server = readServerFile(folder);
  // A killed server leaves its file behind.
  if (server !== undefined && io.isAlive(server.pid)) return server;
  throw new CliError(
    `no server runs on the data folder ${folder}; ` +
      `start one with: npx sealpost serve --data ${shellQuote(folder)}`,
  );
}

/**
 * Credentials of the operator from DIR/credentials or the environment. Throws CliError without
 * them.
 */
export function findCredentials(folder: string, io: CliIo): RootCredentials {
  const stored = readCredentialsFile(folder);
  if (stored) return stored;
  const accessKeyId = io.environment.SEALPOST_ROOT_ACCESS_KEY_ID;
  const secretAccessKey = io.environment.SEALPOST_ROOT_SECRET_ACCESS_KEY;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  // An operator who is an IAM user, where root's credentials were taken away.
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = io.environment;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  }
  throw new CliError(
    `there is no file credentials in ${folder}; set SEALPOST_ROOT_ACCESS_KEY_ID and ` +
      "SEALPOST_ROOT_SECRET_ACCESS_KEY, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  );
}
