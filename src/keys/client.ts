import { presentRingKey, type RingKey, type RingPurpose } from "../crypto/keyring.ts";
import { entryUrl } from "../kernel/entry-url.ts";
import type { Fault } from "../kernel/errors.ts";
import type { KeyVault } from "../kernel/keyvault.ts";
import type { Log } from "../kernel/log.ts";
import {
  needsHelper,
  type SealSettings,
  type StoredSeal,
  sealReach,
  settleSeal,
} from "../seals/seal.ts";
import { readSealedBackup, type SealedBackup } from "./backup.ts";
import { type Link, linkTo, startLink } from "./link.ts";
import type { PreparedKeyProcesses } from "./prepared.ts";
import { type Field, operations, ownField, textField } from "./protocol.ts";
import { type SealSource, startSealHelper } from "./seal-source.ts";
import { type Supervisor, supervise } from "./supervisor.ts";
import { openUseLog } from "./use-log-file.ts";
import { type KeyRelay, vaultOn } from "./vault.ts";

export interface KeyProcessOptions {
  /** Entry of the child; by default the one beside this file. */
  readonly entry?: URL;
  readonly seal: SealSource;
  /** What is stored beside the ring; undefined: nothing was sealed yet. */
  readonly storedSeal: StoredSeal | undefined;
  /** The sealed ring of the data folder; undefined makes a new one. */
  readonly ring: Uint8Array | undefined;
  readonly log: Log;
  /** File for the key process's own log of uses; absent: it keeps none. */
  readonly useLogFile?: string | undefined;
  /** Processes of another user; absent: this process starts its own. */
  readonly prepared?: PreparedKeyProcesses | undefined;
}

/**
 * The key vault of a data folder. Its methods reject with Fault `key-process-unavailable` while
 * the process is gone, and `key-material-damaged` if stored material is not what was wrapped.
 */
export interface KeyProcess extends KeyVault {
  /** The sealed ring, to be stored before anything that depends on it. */
  readonly ring: Uint8Array;
  /** What opens its seal again, to be stored with it. */
  readonly storedSeal: StoredSeal;
  /** All versions of the ring keys that the server works with itself. */
  readonly ringKeys: readonly RingKey[];
  /** Present keys of four purposes, 32 bytes each. */
  readonly rowsKey: Buffer;
  readonly secretsKey: Buffer;
  readonly placesKey: Buffer;
  readonly tokensKey: Buffer;
  /** For other threads, which reach the process through this one. */
  readonly relay: KeyRelay;
  /** Number of the first line of the log of uses that does not follow from those before it. */
  firstBrokenUse(lines: readonly string[]): Promise<number | undefined>;
  /** Names the root key without revealing it: 16 hex digits. */
  readonly rootKeyFingerprint: string;
  /** Pid of the present process; a restart changes it. */
  readonly pid: number;
  /** Settles if no process can be started any more; never where this process starts them. */
  readonly failed: Promise<Fault>;
  /** The ring and the keys of one backup, for holders of these public keys; `id`: 32 bytes. */
  sealBackup(id: Uint8Array, publicKeys: readonly Uint8Array[]): Promise<SealedBackup>;
  close(): Promise<void>;
}

interface OpenedRing {
  readonly ring: Buffer;
  readonly storedSeal: StoredSeal;
  readonly usedIndex: number;
  readonly rootKeyFingerprint: string;
  readonly ringKeys: readonly RingKey[];
}

/**
 * Starts the key process and opens the ring. A lost process is started again with the same ring.
 *
 * Throws Fault `root-key-missing` and `seal-unavailable`, after which a server may start sealed;
 * `root-key-wrong`, `root-key-exposed`, `root-key-damaged`, `root-key-unreadable`,
 * `key-ring-damaged`, with a text for the person who starts the server.
 */
export async function startKeyProcess(options: KeyProcessOptions): Promise<KeyProcess> {
  const first = await openLink(options);
  const { ring, ringKeys, rootKeyFingerprint, storedSeal } = first.opened;
  const again = async (): Promise<Link> => {
    const { link, opened } = await openLink({ ...options, ring, storedSeal });
    for (const { key } of opened.ringKeys) key.fill(0);
    return link;
  };
  const supervisor = supervise(first.link, again, options.log);
  const ask: Link["request"] = (operation, fields, read) => {
    const link = supervisor.link();
    return link instanceof Promise
      ? link.then((opened) => opened.request(operation, fields, read))
      : link.request(operation, fields, read);
  };
  const present = (purpose: RingPurpose): Buffer => presentRingKey(ringKeys, purpose).key;
  return {
    ...vaultOn(ask),
    relay: (operation, fields) =>
      ask(operation, fields, (answer) => answer.map((_, index) => ownBytes(answer, index))),
    firstBrokenUse: (lines) => firstBrokenUse(supervisor, lines),
    sealBackup: (id, publicKeys) =>
      ask(
        operations.sealBackup,
        [Buffer.from(id).toString("base64"), ...publicKeys],
        readSealedBackup,
      ),
    ring,
    storedSeal,
    ringKeys,
    rootKeyFingerprint,
    rowsKey: present("rows"),
    secretsKey: present("secrets"),
    placesKey: present("places"),
    tokensKey: present("tokens"),
    get pid() {
      return supervisor.pid;
    },
    failed: options.prepared?.exhausted ?? new Promise(() => {}),
    close: () => supervisor.close(),
  };
}

async function openLink({
  entry = entryUrl(import.meta.url, "./child"),
  seal,
  storedSeal,
  ring,
  log,
  useLogFile,
  prepared,
}: KeyProcessOptions): Promise<{ link: Link; opened: OpenedRing }> {
  const settings = whereSealed(seal.settings, ring);
  const uses = useLogFile === undefined ? undefined : openUseLog(useLogFile);
  const start = () =>
    startLink(entry, sealReach(settings), log, {
      helperPipeCount: needsHelper(settings) ? 1 : 0,
      ...(uses && { useLog: uses.descriptor }),
      owner: seal.owner,
    });
  // Those that were prepared have the log already; here only its last line is asked for.
  const link = prepared ? linkTo(prepared.take(), log) : start();
  uses?.close();
  const [pipe] = link.helperPipes;
  if (pipe) void startSealHelper({ ...seal, settings }, storedSeal, pipe, log);
  const stored = storedSeal === undefined ? "" : JSON.stringify(storedSeal);
  const lastLine = uses?.lastLine ?? "none";
  const secret = seal.secret ?? "";
  const fields: Field[] = [JSON.stringify(settings), secret, stored, ring ?? "", lastLine];
  try {
    const opened = await link.request(operations.open, fields, readOpened);
    if (prepared) prepared.settle();
    else settleSeal(settings, opened.usedIndex);
    return { link, opened };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** In a buffer of its own, which can be moved to another thread. */
function ownBytes(fields: readonly Buffer[], index: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(fields[index] ?? []);
}

/** A ring means that a root key exists: making another could only hide that it was lost. */
function whereSealed(settings: SealSettings, ring: Uint8Array | undefined): SealSettings {
  if (settings.kind !== "file") return settings;
  return { ...settings, mayCreate: settings.mayCreate && ring === undefined };
}

function readOpened(fields: readonly Buffer[]): OpenedRing {
  const ringKeys: RingKey[] = [];
  for (let index = 4; index < fields.length; index += 3) {
    ringKeys.push({
      purpose: textField(fields, index) as RingPurpose,
      version: Number(textField(fields, index + 1)),
      key: ownField(fields, index + 2),
    });
  }
  return {
    ring: ownField(fields, 0),
    rootKeyFingerprint: textField(fields, 1),
    storedSeal: JSON.parse(textField(fields, 2)),
    usedIndex: Number(textField(fields, 3)),
    ringKeys,
  };
}

const checkBytesMax = 256 * 1024;

/** The log goes over in parts, each a frame. */
async function firstBrokenUse(
  supervisor: Supervisor,
  lines: readonly string[],
): Promise<number | undefined> {
  let mac = "";
  // One round even for no lines: it writes what was counted.
  for (let at = 0; at === 0 || at < lines.length; ) {
    let end = at + 1;
    for (let bytes = 0; end < lines.length && bytes < checkBytesMax; end += 1) {
      bytes += lines[end]?.length ?? 0;
    }
    const link = await supervisor.link();
    const fields = [String(at), mac, ...lines.slice(at, end)];
    const reached = await link.request(operations.checkUses, fields, (answer) => ({
      broken: textField(answer, 0),
      mac: textField(answer, 1),
    }));
    if (reached.broken !== "") return Number(reached.broken);
    mac = reached.mac;
    at = end;
  }
  return undefined;
}
