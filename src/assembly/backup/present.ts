import { existsSync } from "node:fs";
import { join } from "node:path";
import { BackupError } from "../../backup/error.ts";
import type { Manifest } from "../../backup/manifest.ts";
import type { Installation } from "../../gateway/data-folder.ts";
import type { RecordGetQuery, Store } from "../../kernel/command.ts";
import type { Log } from "../../kernel/log.ts";
import { type AccountRecord, accounts, installation } from "../../services/iam/store.ts";
import { isShared, openStore } from "../open-store.ts";
import { readSealedRing } from "../sealed-ring.ts";
import { type Candidates, type Destroyed, findDestroyed } from "./destroyed.ts";
import { readIdentity } from "./identity.ts";

/** What the state that a restore replaces knows. */
export interface Present {
  /** 0: there is none. */
  readonly epoch: number;
  /** undefined: there is no later state that could tell. */
  readonly destroyed: Destroyed | undefined;
  /** Root of the operator account has an access key. */
  readonly rootSigns: boolean;
}

export interface PresentQuestion {
  readonly folder: string;
  /** See StoreChoice. */
  readonly store: string;
  readonly manifest: Manifest;
  readonly candidates: Candidates;
  readonly replace: boolean;
  readonly log: Log;
}

/**
 * Looks at what lies where the backup is to go. A state of the same installation that is no older
 * than the backup tells what was destroyed since: whatever the backup has and it has not.
 *
 * Throws BackupError if there is another installation, or one and `replace` was not said.
 */
export async function examinePresent(question: PresentQuestion): Promise<Present> {
  const { folder, manifest, candidates, replace, log } = question;
  const shared = isShared(question.store);
  const place = shared ? "the database" : folder;
  if (!shared && !existsSync(join(folder, "sealpost.db"))) return nothing;
  const systemNowMs = () => performance.timeOrigin + performance.now();
  const choice = { dataFolder: folder, store: question.store, log, systemNowMs, alone: true };
  const store = await openStore(choice);
  try {
    if (shared && !(await readSealedRing(store))) return nothing;
    if (!replace) {
      throw new BackupError(
        `there is an installation in ${place}; say --replace to put the backup in its place`,
      );
    }
    const { installationId, epoch } = await readIdentity(store);
    if (installationId !== manifest.installationId) {
      throw new BackupError(
        `${place} holds another installation than the backup; restore it into an empty one`,
      );
    }
    if (epoch < manifest.epoch) return { epoch, destroyed: undefined, rootSigns: false };
    const { accountId } = manifest.installation as Installation;
    const destroyed = await findDestroyed(store, candidates);
    return { epoch, destroyed, rootSigns: await rootSigns(store, accountId) };
  } finally {
    await store.close();
  }
}

const nothing: Present = { epoch: 0, destroyed: undefined, rootSigns: false };

async function rootSigns(store: Pick<Store, "query">, accountId: string): Promise<boolean> {
  const { kind: recordKind, ...place } = accounts.key(installation, accountId);
  const query: RecordGetQuery = { kind: "record.get", recordKind, ...place };
  const { record } = await store.query<RecordGetQuery>(query);
  if (record === undefined) return false;
  const { rootAccessKeyIds }: AccountRecord = JSON.parse(record.content);
  return rootAccessKeyIds.length > 0;
}
