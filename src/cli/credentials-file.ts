import { join } from "node:path";
import type { RootCredentials } from "../config.ts";
import { readFileIfThere, writeFileAtomically } from "../gateway/files.ts";

const profile = "sealpost";

/** Path of the file that hands the root credentials to the operator. */
export function credentialsPath(folder: string): string {
  return join(folder, "credentials");
}

/**
 * Writes `DIR/credentials` (0600) in AWS's shared-credentials form. The server works after the file
 * is deleted: the secret is sealed in the store as well.
 */
export function writeCredentialsFile(folder: string, credentials: RootCredentials): void {
  writeFileAtomically(
    credentialsPath(folder),
    `[${profile}]\naws_access_key_id = ${credentials.accessKeyId}\n` +
      `aws_secret_access_key = ${credentials.secretAccessKey}\n`,
    0o600,
  );
}

/** undefined if the file is gone or holds no such profile. */
export function readCredentialsFile(folder: string): RootCredentials | undefined {
  const text = readFileIfThere(credentialsPath(folder));
  const values = new Map<string, string>();
  let section = "";
  for (const line of text?.split("\n") ?? []) {
    const heading = /^\s*\[([^\]]*)\]\s*$/.exec(line);
    if (heading) section = heading[1]?.trim() ?? "";
    const [name, ...value] = line.split("=");
    if (section === profile && value.length > 0) {
      values.set(name?.trim() ?? "", value.join("=").trim());
    }
  }
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
}
