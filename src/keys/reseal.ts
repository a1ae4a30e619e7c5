import { entryUrl } from "../kernel/entry-url.ts";
import type { Log } from "../kernel/log.ts";
import { type StoredSeal, sealReach } from "../seals/seal.ts";
import { startLink } from "./link.ts";
import { type Field, operations, ownField, textField } from "./protocol.ts";
import { type SealSource, startSealHelper } from "./seal-source.ts";

export interface ResealOptions {
  readonly from: SealSource;
  readonly storedSeal: StoredSeal;
  readonly ring: Uint8Array;
  readonly to: SealSource;
  readonly log: Log;
}

export interface ResealedRing {
  /** To be stored in one commit with `storedSeal`. */
  readonly ring: Buffer;
  readonly storedSeal: StoredSeal;
  readonly oldFingerprint: string;
  readonly fingerprint: string;
}

/**
 * Seals a ring under a new root key, in a key process of its own that ends right after. Neither
 * root key passes through this process. Throws what opening either seal throws.
 */
export async function resealRing(options: ResealOptions): Promise<ResealedRing> {
  const { from, storedSeal, ring, to, log } = options;
  const reaches = [sealReach(from.settings), sealReach(to.settings)];
  const reach = {
    read: reaches.flatMap(({ read }) => read),
    write: reaches.flatMap(({ write }) => write),
  };
  const link = startLink(entryUrl(import.meta.url, "./child"), reach, log, {
    helperPipeCount: 2,
    owner: from.owner ?? to.owner,
  });
  const [oldPipe, newPipe] = link.helperPipes;
  // One after the other: both may use one token, and tokens in files do not bear two at a time.
  const first = oldPipe ? startSealHelper(from, storedSeal, oldPipe, log) : Promise.resolve();
  void first.then(() => {
    if (newPipe && !newPipe.destroyed) void startSealHelper(to, undefined, newPipe, log);
  });
  const fields: Field[] = [
    ...[JSON.stringify(from.settings), from.secret ?? "", JSON.stringify(storedSeal), ring],
    ...[JSON.stringify(to.settings), to.secret ?? ""],
  ];
  try {
    return await link.request(operations.reseal, fields, (answer) => ({
      ring: ownField(answer, 0),
      fingerprint: textField(answer, 1),
      storedSeal: JSON.parse(textField(answer, 2)),
      oldFingerprint: textField(answer, 3),
    }));
  } finally {
    await link.close();
  }
}
