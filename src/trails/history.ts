import { type ChainKey, chainHash, chainStart, historyFacts } from "../crypto/chain.ts";
import type { Query, ResultOf } from "../kernel/command.ts";
import type {
  ChainedEvent,
  ChainHead,
  ListChainHeads,
  ReadChain,
} from "../services/cloudtrail/store.ts";
import { pruneEventName, readPruned } from "./pruned.ts";

export interface HistoryDependencies {
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
  readonly chainKeys: readonly ChainKey[];
}

/** A head as it was written outside. */
export interface AnchoredHead {
  readonly accountId: string;
  readonly region: string;
  readonly number: number;
  /** hex */
  readonly hash: string;
}

/** What was found of one account's history in a region. */
export interface HistoryReport {
  readonly accountId: string;
  readonly region: string;
  readonly events: number;
  readonly firstNumber: number;
  readonly headNumber: number;
  readonly failures: readonly HistoryFailure[];
}

export interface HistoryFailure {
  /** Place in the chain. */
  readonly number: number;
  readonly eventId?: string | undefined;
  readonly reason: string;
}

/** Events read at a time; others wait as long. */
const pageEvents = 256;
/** A report names this many failures of a chain. */
const failuresMax = 100;

/**
 * Follows every chain from its first event to its head. `anchors` are heads that were written
 * outside: they show what the store alone cannot, that the end of a history is missing.
 */
export async function verifyHistory(
  deps: HistoryDependencies,
  anchors: readonly AnchoredHead[],
): Promise<readonly HistoryReport[]> {
  const heads = await deps.ask<ListChainHeads>({ kind: "audit.heads" });
  const reports: HistoryReport[] = [];
  for (const head of heads) {
    const own = anchors.filter((anchor) => sameChain(anchor, head));
    reports.push(await verifyChain(deps, head, own));
  }
  const missing = anchors.filter((anchor) => !heads.some((head) => sameChain(anchor, head)));
  return [...reports, ...missing.map(missingChain)];
}

type ChainName = Pick<ChainHead, "accountId" | "region">;

function sameChain(one: ChainName, other: ChainName): boolean {
  return one.accountId === other.accountId && one.region === other.region;
}

function missingChain({ accountId, region, number }: AnchoredHead): HistoryReport {
  const reason = "the anchor names a history that is not there";
  const failures = [{ number, reason }];
  return { accountId, region, events: 0, firstNumber: 0, headNumber: 0, failures };
}

async function verifyChain(
  deps: HistoryDependencies,
  head: ChainHead,
  anchors: readonly AnchoredHead[],
): Promise<HistoryReport> {
  const { accountId, region } = head;
  const walk = newWalk(deps.chainKeys, head, anchors);
  for (;;) {
    const page = await deps.ask<ReadChain>({
      kind: "audit.chain",
      accountId,
      region,
      afterNumber: walk.last?.number ?? 0,
      limit: pageEvents,
    });
    for (const event of page) walk.take(event);
    if (page.length < pageEvents) break;
  }
  // Events came meanwhile: what was read lies between the head of before and that of now.
  const now = await deps.ask<ListChainHeads>({ kind: "audit.heads" });
  return walk.end(now.find((other) => sameChain(other, head)) ?? head);
}

interface Walk {
  readonly last: ChainedEvent | undefined;
  take(event: ChainedEvent): void;
  end(headNow: ChainHead): HistoryReport;
}

/** What the records of pruning say of the beginning. */
interface Pruned {
  readonly throughNumber: number;
  readonly throughHash: string;
}

function newWalk(
  keys: readonly ChainKey[],
  head: ChainHead,
  anchors: readonly AnchoredHead[],
): Walk {
  const failures: HistoryFailure[] = [];
  const fail = (number: number, reason: string, eventId?: string) => {
    if (failures.length < failuresMax) failures.push({ number, reason, eventId });
  };
  const hashes = new Map<number, string>();
  const wanted = new Set([head.number, ...anchors.map(({ number }) => number)]);
  const pruned: Pruned[] = [];
  let first: ChainedEvent | undefined;
  let last: ChainedEvent | undefined;
  let events = 0;

  function take(event: ChainedEvent): void {
    const number = (last?.number ?? event.number - 1) + 1;
    if (event.number !== number) {
      fail(number, `events ${number} to ${event.number - 1} were removed`);
    }
    if (last !== undefined && event.number === number && !follows(keys, event, last.hash)) {
      fail(event.number, "the event was changed, or the one before it", event.eventId);
    }
    first ??= event;
    last = event;
    events += 1;
    if (wanted.has(event.number)) hashes.set(event.number, hex(event.hash));
    if (event.eventName === pruneEventName) {
      const found = readPruned(event.record);
      if (found) pruned.push(found);
    }
  }

  return {
    get last() {
      return last;
    },
    take,
    end(headNow) {
      checkBeginning(keys, first, pruned, fail);
      if (hashes.get(head.number) !== hex(head.hash)) {
        fail(head.number, "the newest events were removed");
      }
      if (last !== undefined && last.number > headNow.number) {
        fail(last.number, "the event was inserted", last.eventId);
      }
      for (const anchor of anchors) checkAnchor(anchor, first, hashes, head, fail);
      const { accountId, region } = head;
      const firstNumber = first?.number ?? 0;
      return { accountId, region, events, firstNumber, headNumber: head.number, failures };
    },
  };
}

function follows(keys: readonly ChainKey[], event: ChainedEvent, before: Uint8Array): boolean {
  const key = keys.find(({ version }) => version === event.keyVersion);
  if (key === undefined) return false;
  const { accountId, region, number } = event;
  const place = { accountId, region, lane: "", number };
  const hash = chainHash(key, place, before, historyFacts(event), event.record);
  return hash.equals(event.hash);
}

type Fail = (number: number, reason: string, eventId?: string) => void;

/** A history begins with its first event, or where its own records say that it was pruned to. */
function checkBeginning(
  keys: readonly ChainKey[],
  first: ChainedEvent | undefined,
  pruned: readonly Pruned[],
  fail: Fail,
): void {
  if (first === undefined) return;
  const before = first.number - 1;
  if (before === 0) {
    if (!follows(keys, first, chainStart)) fail(1, "the event was changed", first.eventId);
    return;
  }
  const at = pruned.find(({ throughNumber }) => throughNumber === before);
  if (at !== undefined) {
    const hash = Buffer.from(at.throughHash, "hex");
    if (!follows(keys, first, hash)) fail(first.number, "the event was changed", first.eventId);
    return;
  }
  // Pruning is under way: its record came first.
  if (pruned.some(({ throughNumber }) => throughNumber > before)) return;
  fail(before, `events up to ${before} are missing, and no record tells of their pruning`);
}

function checkAnchor(
  { number, hash }: AnchoredHead,
  first: ChainedEvent | undefined,
  hashes: ReadonlyMap<number, string>,
  head: ChainHead,
  fail: Fail,
): void {
  if (number > head.number) {
    fail(number, `the anchor knows event ${number}; the history ends with ${head.number}`);
    return;
  }
  // What was pruned since cannot be compared.
  if (first !== undefined && number < first.number) return;
  if (hashes.get(number) !== hash) fail(number, "the history is another than the anchor knows");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
