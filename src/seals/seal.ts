import { type EnvSealSettings, envSeal } from "./env.ts";
import { type FileSealSettings, fileSeal, fileSealReach, settleFileSeal } from "./file.ts";
import { type AwsKmsSealSettings, type HelperAnswer, helperSeal } from "./helper-seal.ts";
import { type PassphraseSealSettings, passphraseSeal, passphraseSealReach } from "./passphrase.ts";
import type { Pkcs11SealSettings } from "./pkcs11.ts";
import type { SealReach, StoredSeal } from "./stored.ts";

export type { SealReach, StoredSeal } from "./stored.ts";

/** Where the root key comes from. It is asked once at each start, inside the key process. */
export interface Seal {
  /** Provider and place, for messages: `root key file /var/lib/sealpost/root.key`. */
  readonly name: string;
  /**
   * Opens the root key, or makes it at first use where that is allowed (nothing is stored yet).
   *
   * Throws Fault `root-key-missing` and `seal-unavailable` (the server may start sealed),
   * `root-key-wrong`, `root-key-exposed`, `root-key-damaged`, `root-key-unreadable`.
   */
  unwrapRoot(): Promise<UnwrappedRoot>;
}

export interface UnwrappedRoot {
  /**
   * 32 bytes each, which the caller wipes. More than one only where a rotation was cut off: the one
   * that opens the ring is it.
   */
  readonly rootKeys: readonly Buffer[];
  /** What must be stored beside the ring to open the seal again. */
  readonly stored: StoredSeal;
}

/**
 * How a seal is set up; plain data that goes to the key process, without secrets. Each provider is
 * a file beside this one and one member of this union.
 */
export type SealSettings =
  | FileSealSettings
  | EnvSealSettings
  | PassphraseSealSettings
  | Pkcs11SealSettings
  | AwsKmsSealSettings;

export type SealKind = SealSettings["kind"];

/** What a seal needs to open besides its settings. */
export interface SealInputs {
  /** Passphrase or root key from the environment; empty: there is none. */
  readonly secret: Uint8Array;
  /** undefined: nothing was sealed yet. */
  readonly stored: StoredSeal | undefined;
  /** What the short-lived helper of a seal says; only for those that have one. */
  readonly helper: () => Promise<HelperAnswer>;
}

export function openSeal(settings: SealSettings, inputs: SealInputs): Seal {
  switch (settings.kind) {
    case "file":
      return fileSeal(settings);
    case "env":
      return envSeal(settings, inputs.secret);
    case "passphrase":
      return passphraseSeal(settings, inputs.secret, inputs.stored);
    case "pkcs11":
    case "aws-kms":
      return helperSeal(settings, inputs.helper);
  }
}

/** Whether another process opens the seal and hands the root key over on a pipe. */
export function needsHelper(settings: SealSettings): boolean {
  return settings.kind === "pkcs11" || settings.kind === "aws-kms";
}

export function sealReach(settings: SealSettings): SealReach {
  switch (settings.kind) {
    case "file":
      return fileSealReach(settings);
    case "passphrase":
      return passphraseSealReach(settings);
    default:
      return { read: [], write: [] };
  }
}

/**
 * Makes durable what the seal has made, and ends a rotation that was cut off. The server calls it
 * once the seal was used, before anything is stored that only this root key opens; `usedIndex` is
 * the root key that opened the ring.
 */
export function settleSeal(settings: SealSettings, usedIndex: number): void {
  if (settings.kind === "file") settleFileSeal(settings, usedIndex);
}
