import { createReadStream } from "node:fs";
import { encodeHeader } from "../../backup/header.ts";
import { publicKeyFingerprint } from "../../crypto/wrap.ts";
import type { Log } from "../../kernel/log.ts";
import { type BackupKeyUse, openWith } from "./keys.ts";
import { readHeader } from "./read.ts";
import type { BackupRecipient } from "./write.ts";

export interface RewrapRequest {
  readonly file: string;
  readonly key: BackupKeyUse;
  readonly recipients: readonly BackupRecipient[];
  readonly log: Log;
}

/**
 * A backup for other backup keys, and for them alone. The payload goes over as it is: nobody needs
 * to decrypt it for that. Throws what opening the backup key throws.
 */
export async function* rewrapBackup(request: RewrapRequest): AsyncGenerator<Buffer> {
  const { file, key, recipients, log } = request;
  const header = readHeader(file);
  const backup = await openWith(header, key, log);
  try {
    const found = await backup.wrapFor(recipients.map(({ publicKey }) => Buffer.from(publicKey)));
    const wraps = found.map((wrap, index) => {
      const { publicKey = Buffer.alloc(0), storedSeal } = recipients[index] ?? {};
      return { ...wrap, key: publicKeyFingerprint(publicKey), ...(storedSeal && { storedSeal }) };
    });
    yield encodeHeader({ id: header.id, wraps }, backup.headerKey);
  } finally {
    await backup.close();
  }
  for await (const bytes of createReadStream(file, { start: header.bytes })) {
    yield bytes as Buffer;
  }
}
