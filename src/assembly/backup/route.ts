import { publicKeyBytes, publicKeyFingerprint } from "../../crypto/wrap.ts";
import type { AdminRoute } from "../../gateway/admin.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";
import type { Log } from "../../kernel/log.ts";
import type { BackupRecipient } from "./write.ts";

export interface BackupRouteOptions {
  /** Begins a backup. Throws Fault `disk-full` if there is no room for what it takes meanwhile. */
  readonly write: (recipients: readonly BackupRecipient[]) => Promise<AsyncIterable<Buffer>>;
  readonly log: Log;
}

const recipientsMax = 16;

/**
 * `POST /_sealpost/backup {recipients: [{publicKey, storedSeal?}]}`: the whole installation,
 * encrypted for these backup keys. The answer is the backup, cut off if it could not be finished.
 */
export function backupRoute({ write, log }: BackupRouteOptions): AdminRoute {
  let busy = false;
  async function* once(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* parts;
      log.info("a backup was made");
    } catch (error) {
      log.error("a backup failed", { error });
      throw error;
    } finally {
      busy = false;
    }
  }
  return {
    method: "POST",
    path: "/_sealpost/backup",
    action: "sealpost:Backup",
    audited: (input) => ({
      recipients: recipientsOf(input).map(({ publicKey }) => publicKeyFingerprint(publicKey)),
    }),
    async handle(input) {
      const recipients = recipientsOf(input);
      if (recipients.length === 0 || recipients.length > recipientsMax) {
        throw invalid(`a backup is for 1 to ${recipientsMax} backup keys`);
      }
      if (busy) throw new Refusal("Conflict", "another backup is under way", { status: 409 });
      busy = true;
      try {
        const stream = once(await write(recipients));
        return { stream, contentType: "application/octet-stream" };
      } catch (error) {
        busy = false;
        throw error;
      }
    },
  };
}

function recipientsOf(input: Json | undefined): readonly BackupRecipient[] {
  const listed: unknown = Reflect.get(Object(input), "recipients");
  if (!Array.isArray(listed)) throw invalid("`recipients` must be a list");
  return listed.map((one: unknown) => {
    const { publicKey, storedSeal } = Object(one) as Record<string, unknown>;
    const bytes = Buffer.from(typeof publicKey === "string" ? publicKey : "", "base64");
    if (bytes.length !== publicKeyBytes) throw invalid("a recipient has no public backup key");
    return { publicKey: bytes, ...(isObject(storedSeal) && { storedSeal }) };
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function invalid(text: string): Refusal {
  return new Refusal("InvalidRequest", text, { status: 400 });
}
