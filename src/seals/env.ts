import { keyBytes } from "../crypto/constants.ts";
import { Fault } from "../kernel/errors.ts";
import type { Seal } from "./seal.ts";

export interface EnvSealSettings {
  readonly kind: "env";
  /** Name of the variable, for messages; its value comes apart from the settings. */
  readonly variable: string;
}

/**
 * The root key in an environment variable, as 64 hex digits: for development and for platforms that
 * hand secrets out this way. Others of the same user can read a process's environment.
 */
export function envSeal({ variable }: EnvSealSettings, secret: Uint8Array): Seal {
  return {
    name: `root key of ${variable}`,
    async unwrapRoot() {
      if (secret.length === 0) {
        throw new Fault("seal-unavailable", `${variable} is not set: it must hold the root key`);
      }
      const text = Buffer.from(secret.buffer, secret.byteOffset, secret.length).toString("latin1");
      if (!/^[0-9a-fA-F]{64}$/.test(text)) {
        throw new Fault(
          "root-key-damaged",
          `${variable} is not a root key: it must hold 64 hex digits (openssl rand -hex 32)`,
        );
      }
      const rootKey = Buffer.allocUnsafeSlow(keyBytes);
      rootKey.write(text, "hex");
      return { rootKeys: [rootKey], stored: { kind: "env" } };
    },
  };
}
