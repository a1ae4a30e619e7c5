import type { Command, Query } from "./command.ts";

/**
 * Small values of the installation that are neither a user's configuration nor messages: the sealed
 * key ring, the kind of clock, the format. Blobs by name; a store never looks inside.
 */
export interface PutMeta extends Command<undefined> {
  readonly kind: "meta.put";
  readonly name: string;
  readonly value: Uint8Array;
}

export interface GetMeta extends Query<Uint8Array | undefined> {
  readonly kind: "meta.get";
  readonly name: string;
}
