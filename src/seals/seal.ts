import { type FileSealSettings, fileSeal, fileSealReach, settleFileSeal } from "./file.ts";

/** Where the root key comes from. It is asked once at each start, inside the key process. */
export interface Seal {
  /** Provider and place, for messages: `root key file /var/lib/sealpost/root.key`. */
  readonly name: string;
  /**
   * The root key: 32 bytes that the caller wipes. Makes it at first use where that is allowed.
   * Throws Fault `root-key-missing`, `root-key-exposed`, `root-key-damaged`, `root-key-unreadable`.
   */
  unwrapRoot(): Promise<Buffer>;
}

/**
 * How a seal is set up; plain data that goes to the key process. Each provider is a file beside
 * this one and one member of this union.
 */
export type SealSettings = FileSealSettings;

/** Files that a seal must reach, so that the key process may be kept from all others. */
export interface SealReach {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

export function openSeal(settings: SealSettings): Seal {
  switch (settings.kind) {
    case "file":
      return fileSeal(settings);
  }
}

export function sealReach(settings: SealSettings): SealReach {
  switch (settings.kind) {
    case "file":
      return fileSealReach(settings);
  }
}

/**
 * Makes durable what the seal has made. The server calls it once the seal was first used, before
 * anything is stored that only this root key opens.
 */
export function settleSeal(settings: SealSettings): void {
  switch (settings.kind) {
    case "file":
      settleFileSeal(settings);
  }
}
