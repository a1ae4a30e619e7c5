import { createRequire } from "node:module";

export interface ValidateOptions {
  /** Where the certificate is fetched in place of the host that the message names. */
  readonly fetchFrom?: string;
  /** Hosts that certificates may come from; default: the package's own, which is AWS. */
  readonly hostPattern?: RegExp | undefined;
}

/** The host pattern (and port) that a server of one's own needs. */
export const loopbackHosts = /^127\.0\.0\.1:\d+$/;

/**
 * The package that AWS gives receivers. It fetches the certificate by itself, so it has to be told
 * of the server's own authority. Rejects with its error.
 */
export function validate(
  ca: string,
  message: object,
  { fetchFrom, hostPattern }: ValidateOptions = { hostPattern: loopbackHosts },
): Promise<object> {
  const require = createRequire(import.meta.url);
  const MessageValidator = require("sns-validator");
  const validator = new MessageValidator(hostPattern, "utf8");
  const https = require("node:https");
  const get = https.get;
  https.get = (address: string, ...rest: unknown[]) => {
    const { pathname } = new URL(address);
    return get(fetchFrom === undefined ? address : fetchFrom + pathname, { ca }, ...rest);
  };
  return new Promise((resolve, reject) => {
    validator.validate(message, (error: Error | null, valid: object) => {
      https.get = get;
      if (error) reject(error);
      else resolve(valid);
    });
  });
}
