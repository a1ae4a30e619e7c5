import { deepEqual, rejects } from "node:assert/strict";
import { chainHash, chainStart, historyFacts, waitingFacts } from "../../../src/crypto/chain.ts";
import type { Command, Store } from "../../../src/kernel/command.ts";
import { textBytesOf, textOf } from "../../../src/services/cloudtrail/packed-records.ts";
import type {
  AppendEvents,
  AuditEvent,
  ChainedEvent,
  FindPrunable,
  HistoryFacts,
  ListChainHeads,
  ListWaiting,
  ListWaitingTrails,
  LookupAttribute,
  LookupAuditEvents,
  ReadChain,
  TrailIdentity,
  WaitingBatch,
} from "../../../src/services/cloudtrail/store.ts";
import type { Contract } from "./fixtures.ts";
import { accountId, commit, region } from "./fixtures.ts";

function eventNamed(
  eventId: string,
  timeMs: number,
  changes: Partial<HistoryFacts & Pick<AuditEvent, "accountId" | "region" | "trails">> = {},
): AuditEvent {
  const { trails = [], accountId: owner = accountId, region: place = region, ...facts } = changes;
  return {
    accountId: owner,
    region: place,
    timeMs,
    record: [`{"eventID":"`, eventId, `"}`],
    history: {
      eventId,
      eventName: "CreateKey",
      eventSource: "kms.amazonaws.com",
      username: "alice",
      accessKeyId: "AKIAALICE",
      readOnly: false,
      resources: [],
      ...facts,
    },
    trails,
  };
}

async function append(store: Store, ...events: AuditEvent[]): Promise<void> {
  const unlock = { kind: "audit.unlock", version: 1, key: new Uint8Array(32) };
  await commit(store, unlock, { kind: "audit.append", events });
}

async function lookup(store: Store, changes: Partial<LookupAuditEvents> = {}) {
  return store.query<LookupAuditEvents>({
    kind: "audit.lookup",
    accountId,
    region,
    startMs: 0,
    endMs: 10_000,
    limit: 50,
    ...changes,
  });
}

async function idsBy(store: Store, attribute: LookupAttribute): Promise<string[]> {
  return (await lookup(store, { attribute })).map((event) => event.eventId);
}

export const auditContract: Contract = {
  "events come back whole, newest first, later written first at one time": async (store) => {
    const resources = [
      { type: "AWS::KMS::Key", name: "arn:b" },
      { type: "AWS::KMS::Key", name: "arn:a" },
    ];
    const first = eventNamed("e1", 100, { resources });
    await append(store, first, eventNamed("e2", 100), eventNamed("e0", 50, { readOnly: true }));
    const found = await lookup(store);
    deepEqual(
      found.map((event) => event.eventId),
      ["e2", "e1", "e0"],
    );
    const { number, keyVersion, hash, ...event } = (found[1] ?? {}) as ChainedEvent;
    const { timeMs, history } = first;
    const record = first.record.join("");
    deepEqual(event, { accountId, region, timeMs, record, ...history });
    deepEqual([number, keyVersion, hash.length], [1, 1, 32]);
    deepEqual(found[2]?.readOnly, true);
  },

  "each attribute finds its events and no others": async (store) => {
    const resources = [
      { type: "AWS::SQS::Queue", name: "arn:q" },
      { type: "AWS::SQS::Queue", name: "arn:r" },
      { type: "AWS::KMS::Key", name: "arn:k" },
    ];
    await append(
      store,
      eventNamed("e1", 1, { eventName: "Decrypt" }),
      eventNamed("e2", 2, { username: "bob" }),
      eventNamed("e3", 3, { eventSource: "sqs.amazonaws.com" }),
      eventNamed("e4", 4, { accessKeyId: "AKIABOB" }),
      eventNamed("e5", 5, { readOnly: true }),
      eventNamed("e6", 6, { resources }),
    );
    deepEqual(await idsBy(store, { name: "EventId", value: "e3" }), ["e3"]);
    deepEqual(await idsBy(store, { name: "EventName", value: "Decrypt" }), ["e1"]);
    deepEqual(await idsBy(store, { name: "Username", value: "bob" }), ["e2"]);
    deepEqual(await idsBy(store, { name: "EventSource", value: "sqs.amazonaws.com" }), ["e3"]);
    deepEqual(await idsBy(store, { name: "AccessKeyId", value: "AKIABOB" }), ["e4"]);
    deepEqual(await idsBy(store, { name: "ReadOnly", value: true }), ["e5"]);
    deepEqual((await idsBy(store, { name: "ReadOnly", value: false })).length, 5);
    // Two resources of one type in an event are still one event.
    deepEqual(await idsBy(store, { name: "ResourceType", value: "AWS::SQS::Queue" }), ["e6"]);
    deepEqual(await idsBy(store, { name: "ResourceName", value: "arn:k" }), ["e6"]);
    deepEqual(await idsBy(store, { name: "ResourceName", value: "arn:x" }), []);
  },

  "both ends of the time range are inside; other accounts and regions are not": async (store) => {
    await append(
      store,
      eventNamed("e1", 100),
      eventNamed("e2", 200),
      eventNamed("e3", 300),
      eventNamed("e4", 400),
      eventNamed("x1", 200, { accountId: "1" }),
      eventNamed("x2", 200, { region: "eu-west-1" }),
    );
    const found = await lookup(store, { startMs: 200, endMs: 300 });
    deepEqual(
      found.map((event) => event.eventId),
      ["e3", "e2"],
    );
  },

  "pages continue after an event, also among events of one time": async (store) => {
    const ids = Array.from({ length: 25 }, (_, index) => `e${index}`);
    const resources = [{ type: "T", name: "n" }];
    const events = ids.map((id, index) => eventNamed(id, Math.floor(index / 10), { resources }));
    await append(store, ...events);
    for (const attribute of [
      undefined,
      { name: "Username", value: "alice" },
      { name: "ResourceType", value: "T" },
    ] as const) {
      const seen: string[] = [];
      let after: LookupAuditEvents["after"];
      for (;;) {
        const page = await lookup(store, { limit: 7, attribute, after });
        seen.push(...page.map((event) => event.eventId));
        const last = page.at(-1);
        if (last === undefined) break;
        after = { timeMs: last.timeMs, number: last.number };
      }
      deepEqual(seen, ids.toReversed());
    }
  },

  "pruning takes the oldest with their resources, in steps": async (store) => {
    const resources = [{ type: "T", name: "n" }];
    await append(
      store,
      eventNamed("e1", 1, { resources }),
      eventNamed("e2", 2, { resources }),
      eventNamed("e3", 3, { resources }),
    );
    const prune = {
      kind: "audit.prune",
      accountId,
      region,
      throughNumber: 2,
      rowsMax: 1,
    } as const;
    deepEqual((await commit(store, prune))[0], { removed: 1 });
    deepEqual(await idsBy(store, { name: "ResourceType", value: "T" }), ["e3", "e2"]);
    deepEqual((await commit(store, prune))[0], { removed: 1 });
    deepEqual((await commit(store, prune))[0], { removed: 0 });
    deepEqual(await idsBy(store, { name: "ResourceName", value: "n" }), ["e3"]);
  },

  "what may be pruned: by age, by number, in one chain": async (store) => {
    const times = [10, 20, 30, 40, 50];
    await append(store, ...times.map((timeMs) => eventNamed(`e${timeMs}`, timeMs)));
    await append(store, eventNamed("x", 1, { region: "eu-west-1" }));
    const find = (beforeMs: number, eventsMax: number) =>
      store.query<FindPrunable>({ kind: "audit.prunable", accountId, region, beforeMs, eventsMax });
    const numbers = async (beforeMs: number, eventsMax = 100) => {
      const found = await find(beforeMs, eventsMax);
      return found && [found.first, found.through.number, found.through.timeMs];
    };
    deepEqual(await numbers(10), undefined);
    deepEqual(await numbers(11), [1, 1, 10]);
    deepEqual(await numbers(50), [1, 4, 40]);
    deepEqual(await numbers(999), [1, 5, 50]);
    deepEqual(await numbers(0, 2), [1, 3, 30]);
    deepEqual(await numbers(0, 5), undefined);
    const chain = await readChain(store);
    deepEqual((await find(31, 100))?.through.hash, chain[2]?.hash);
  },

  "histories are chains of their own, without gaps, also after a rollback": async (store) => {
    await append(store, eventNamed("e1", 1), eventNamed("w1", 1, { region: "eu-west-1" }));
    const bad = { kind: "no-such-command" } as Command;
    const lost: AppendEvents = { kind: "audit.append", events: [eventNamed("lost", 2)] };
    await rejects(store.commit({ decidedUnder: [], commands: [lost, bad] }));
    await append(store, eventNamed("e2", 3));
    const chain = await readChain(store);
    deepEqual(
      chain.map(({ number, eventId }) => [number, eventId]),
      [
        [1, "e1"],
        [2, "e2"],
      ],
    );
    const heads = await store.query<ListChainHeads>({ kind: "audit.heads" });
    deepEqual(
      heads.map(({ region: of, number }) => [of, number]),
      [
        ["eu-west-1", 1],
        ["us-east-1", 2],
      ],
    );
    deepEqual(heads[1]?.hash, chain[1]?.hash);
    const [first, second] = chain;
    if (first === undefined || second === undefined) throw new Error("two events");
    const place = { accountId, region, lane: "", number: 2 };
    const facts = historyFacts(second);
    deepEqual(
      Buffer.from(second.hash),
      chainHash({ version: 1, key: new Uint8Array(32) }, place, first.hash, facts, second.record),
    );
  },

  "events wait for their trails, whole and in order, until they are delivered": async (store) => {
    const main = { name: "main", region };
    const other = { name: "other", region: "eu-west-1" };
    const dataEvent = (index: number): AuditEvent => ({
      accountId,
      region,
      timeMs: 2 + index,
      record: [`{"eventID":"`, `d${index}`, `","padding":"${"p".repeat(2000)}"}`],
      trails: [main],
    });
    await append(
      store,
      eventNamed("e1", 1, { trails: [main, other] }),
      eventNamed("w1", 9, { region: "eu-west-1", trails: [main] }),
    );
    const data = Array.from({ length: 1200 }, (_, index) => dataEvent(index));
    await append(store, ...data.slice(0, 1));
    await append(store, ...data.slice(1));
    deepEqual(
      (await lookup(store)).map(({ eventId }) => eventId),
      ["e1"],
    );
    deepEqual(await store.query<ListWaitingTrails>({ kind: "trail.trails" }), [
      { accountId, region: "eu-west-1", name: "other" },
      { accountId, region, name: "main" },
    ]);
    const trail = { accountId, ...main };
    const waiting = (bytesMax: number, throughNumber?: number) =>
      store.query<ListWaiting>({
        kind: "trail.waiting",
        trail,
        bytesMax,
        ...(throughNumber !== undefined && { throughNumber }),
      });
    const all = await waiting(1e9);
    deepEqual(all.flatMap(idsOf).sort(), ["e1", "w1", ...data.map((_, at) => `d${at}`)].sort());
    deepEqual(all.filter((batch) => batch.eventRegion === "eu-west-1").flatMap(idsOf), ["w1"]);
    deepEqual([all[0]?.oldestMs, all[0]?.newestMs], [1, 1]);
    // A file is made of whole rows, so none has much more than a megabyte of text; what events
    // have in common is there once.
    deepEqual(
      all.filter(({ records }) => textBytesOf(records) > 1_100_000 || records.length > 50_000),
      [],
    );
    checkChain(trail, all);
    deepEqual((await waiting(0)).length, 1);
    deepEqual((await waiting(1)).length, 1);
    deepEqual((await waiting(1e9, 2)).length, 2);
    const some = await waiting(5000);
    const throughNumber = some.at(-1)?.number ?? 0;
    await commit(store, { kind: "trail.delivered", trail, throughNumber });
    deepEqual((await waiting(1))[0]?.number, throughNumber + 1);
  },

  "an event without the key of the chain is a bug": async (store) => {
    const events = [eventNamed("e1", 1)];
    await rejects(
      store.commit({ decidedUnder: [], commands: [{ kind: "audit.append", events } as Command] }),
      /unlocked/,
    );
  },
};

function idsOf({ records }: WaitingBatch): string[] {
  const text = Buffer.from(textOf(records) ?? []);
  deepEqual(text.length, textBytesOf(records));
  const read: readonly { readonly eventID: string }[] = JSON.parse(`[${text}]`);
  return read.map(({ eventID }) => eventID);
}

function checkChain(
  { accountId: owner, region: home, name }: TrailIdentity,
  all: readonly WaitingBatch[],
) {
  let before = chainStart;
  for (const [index, batch] of all.entries()) {
    const place = { accountId: owner, region: home, lane: name, number: index + 1 };
    const key = { version: 1, key: new Uint8Array(32) };
    const hash = chainHash(key, place, before, waitingFacts(batch), batch.records);
    deepEqual([batch.number, Buffer.from(batch.hash)], [index + 1, hash]);
    before = batch.hash;
  }
}

async function readChain(store: Store): Promise<readonly ChainedEvent[]> {
  return store.query<ReadChain>({
    kind: "audit.chain",
    accountId,
    region,
    afterNumber: 0,
    limit: 100,
  });
}
