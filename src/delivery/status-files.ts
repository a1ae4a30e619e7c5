import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../kernel/log.ts";
import type { StatusLog } from "../services/sns/ports.ts";

/** A file that grew so long is put aside as `….1`, in place of the one before it. */
const fileBytesMax = 10 * 1024 * 1024;

export interface StatusFiles extends StatusLog {
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/**
 * Delivery status logs as files, one event a line: `DIR/delivery-status/sns/<region>/<account>/
 * <topic>.jsonl`, failures in `<topic>/Failure.jsonl`. AWS: log groups of these names in
 * CloudWatch.
 */
export function openStatusFiles(folder: string, log: Log): StatusFiles {
  let last: Promise<void> = Promise.resolve();
  return {
    write(group, event) {
      const path = join(folder, `${group}.jsonl`);
      last = last.then(async () => {
        try {
          await append(path, `${JSON.stringify(event)}\n`);
        } catch (error) {
          log.warn("a delivery status was not written", { group, error });
        }
      });
    },
    close: () => last,
  };
}

async function append(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size > fileBytesMax) await rename(path, `${path}.1`);
  await appendFile(path, line, { mode: 0o600 });
}
