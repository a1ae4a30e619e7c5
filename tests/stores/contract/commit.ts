import { deepEqual, equal, rejects } from "node:assert/strict";
import type { RecordQuery, Store, StoreRecordCommand } from "../../../src/kernel/command.ts";
import { Fault } from "../../../src/kernel/errors.ts";
import type { StoredRecord } from "../../../src/kernel/records.ts";
import type { Contract } from "./fixtures.ts";
import {
  accountId,
  claimFrom,
  commit,
  commitUnder,
  countsOf,
  insertInto,
  messageNamed,
  queueNamed,
  queueWith,
  region,
} from "./fixtures.ts";

type Get = Extract<RecordQuery, { kind: "record.get" }>;
type Count = Extract<RecordQuery, { kind: "record.count" }>;
type List = Extract<RecordQuery, { kind: "record.list" }>;

function recordNamed(id: string, version: number, content = "{}"): StoredRecord {
  const mac = Buffer.from(`mac of ${id}`);
  return { accountId, region, kind: "sqs.queue", id, version, content, mac };
}

function put(record: StoredRecord): StoreRecordCommand {
  return { kind: "record.put", record };
}

async function get(store: Store, id: string) {
  return store.query<Get>({ kind: "record.get", accountId, region, recordKind: "sqs.queue", id });
}

async function idsOf(store: Store, range: object = {}): Promise<string[]> {
  const whole = { accountId, region, kind: "sqs.queue", ...range };
  const { records } = await store.query<List>({ kind: "record.list", range: whole });
  return records.map((record) => record.id);
}

export const commitContract: Contract = {
  "a record comes back as it was put, with the account's version": async (store) => {
    deepEqual(await get(store, "a"), { record: undefined, version: 0 });
    await commit(store, put(recordNamed("a", 1, '{"x":"ü"}')));
    const { record, version } = await get(store, "a");
    equal(version, 1);
    equal(record?.content, '{"x":"ü"}');
    equal(record.version, 1);
    deepEqual(Buffer.from(record.mac), Buffer.from("mac of a"));
  },

  "a commit raises each touched account's version by one, however many records": async (store) => {
    const other = { ...recordNamed("z", 1), accountId: "999999999999" };
    const commands = [put(recordNamed("a", 1)), put(recordNamed("b", 1)), put(other)];
    const answer = await store.commit({ decidedUnder: [], commands });
    deepEqual(answer.versions, [
      { accountId, version: 1 },
      { accountId: "999999999999", version: 1 },
    ]);
    const removal = await store.commit({
      decidedUnder: [{ accountId, version: 1 }],
      commands: [{ kind: "record.delete", key: recordNamed("a", 0) }] as StoreRecordCommand[],
    });
    deepEqual(removal.versions, [{ accountId, version: 2 }]);
    deepEqual(await get(store, "a"), { record: undefined, version: 2 });
  },

  "an older decision is stale and nothing of it is done": async (store) => {
    const queue = await queueWith(store);
    await commit(store, put(recordNamed("a", 1)));
    const insert = insertInto(queue, messageNamed("m", "key-1", 1));
    const stale = await store.commit({
      decidedUnder: [{ accountId, version: 0 }],
      commands: [insert, put(recordNamed("b", 1))],
    });
    deepEqual(stale, { status: "stale", versions: [{ accountId, version: 1 }] });
    equal((await store.query(countsOf(queue, 10))).visible, 0);
    deepEqual(await idsOf(store), ["a"]);
    // The twin: the same act under the present version is done.
    await commitUnder(store, [{ accountId, version: 1 }], insert, put(recordNamed("b", 2)));
    equal((await store.query(countsOf(queue, 10))).visible, 1);
  },

  "of two decisions under one version that arrive together the second is stale": async (store) => {
    const decidedUnder = [{ accountId, version: 0 }];
    const answers = await Promise.all([
      store.commit({ decidedUnder, commands: [put(recordNamed("a", 1))] }),
      store.commit({ decidedUnder, commands: [put(recordNamed("b", 1))] }),
    ]);
    deepEqual(
      answers.map((answer) => answer.status),
      ["done", "stale"],
    );
  },

  "a commit that fails half-way leaves nothing and hurts nobody beside it": async (store) => {
    const queue = await queueWith(store, "before");
    const good = insertInto(queue, messageNamed("good", "key-1", 5));
    // Its first command would succeed; its second names a data key that does not exist.
    const half = insertInto(queue, messageNamed("half", "key-1", 6));
    const bad = insertInto(queue, messageNamed("bad", "no-such-key", 7));
    const later = insertInto(queue, messageNamed("later", "key-1", 8));
    await store.query(countsOf(queue, 5000));
    const results = await Promise.allSettled([
      commit(store, good),
      commit(store, half, bad),
      store.query(countsOf(queue, 5000)),
      commit(store, later),
    ]);
    deepEqual(
      results.map((result) => result.status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled"],
    );
    const [claimed] = await commit(store, claimFrom(queue, 5000, "c"));
    deepEqual(claimed.messages.map((message) => message.messageId).toSorted(), [
      "before",
      "good",
      "later",
    ]);
    const counts = await store.query(countsOf(queue, 5000));
    deepEqual(counts, { visible: 0, inFlight: 3, delayed: 0 });
  },

  "a record with a wrong version is a bug, and so is an unknown command": async (store) => {
    await rejects(commit(store, put(recordNamed("a", 7))), /carries its new version/);
    await rejects(commit(store, { kind: "no.such" }), /the store knows no\.such/);
    await rejects(store.query({ kind: "no.such" }), /the store knows no\.such/);
    deepEqual(await idsOf(store), []);
  },

  "records are counted by kind and place, with the account's version": async (store) => {
    const count = (query: Partial<Count>) =>
      store.query<Count>({
        kind: "record.count",
        accountId,
        region,
        recordKind: "sqs.queue",
        ...query,
      });
    deepEqual(await count({}), { count: 0, version: 0 });
    const elsewhere = { ...recordNamed("c", 1), region: "" };
    const ofOther = { ...recordNamed("d", 1), accountId: "999999999999" };
    const ofAnotherKind = { ...recordNamed("e", 1), kind: "sqs.queues" };
    const all = [recordNamed("a", 1), recordNamed("b", 1), elsewhere, ofOther, ofAnotherKind];
    await commit(store, ...all.map(put));
    deepEqual(await count({}), { count: 2, version: 1 });
    deepEqual(await count({ region: "" }), { count: 1, version: 1 });
    await commit(store, put(recordNamed("a", 2)));
    deepEqual(await count({}), { count: 2, version: 2 });
    await commit(store, { kind: "record.delete", key: recordNamed("b", 0) });
    deepEqual(await count({}), { count: 1, version: 3 });
  },

  "a query sees every commit acknowledged or asked before it": async (store) => {
    const seen = await Promise.all([
      get(store, "a"),
      commit(store, put(recordNamed("a", 1))),
      get(store, "a"),
    ]);
    equal(seen[0].version, 0);
    equal(seen[2].version, 1);
  },

  "answers arrive in the order in which things were carried out": async (store) => {
    const order: number[] = [];
    const queue = queueNamed();
    const sweep = { decidedUnder: [], commands: [{ kind: "sqs.sweep", rowsMax: 1 }] };
    const asks = Array.from({ length: 20 }, (_, index) => {
      const ask = index % 3 === 0 ? store.query(countsOf(queue, 1)) : store.commit(sweep);
      return ask.then(() => order.push(index));
    });
    await Promise.all(asks);
    deepEqual(order, [...Array(20).keys()]);
  },

  "ids list in order of UTF-8 bytes, by prefix, after an id, with a limit": async (store) => {
    const ids = ["b", "a", "a/2", "a/10", "ab", "é", "\u{1F600}", "\uFFEE", "Z"];
    await commit(store, ...ids.map((id) => put(recordNamed(id, 1))));
    const ordered = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    deepEqual(await idsOf(store), ordered);
    deepEqual(await idsOf(store, { idPrefix: "a" }), ["a", "a/10", "a/2", "ab"]);
    deepEqual(await idsOf(store, { idPrefix: "a/" }), ["a/10", "a/2"]);
    deepEqual(await idsOf(store, { idPrefix: "a", afterId: "a", limit: 2 }), ["a/10", "a/2"]);
    deepEqual(await idsOf(store, { afterId: "é", limit: 1 }), ["\uFFEE"]);
    // By UTF-16 units, as JavaScript sorts, the emoji would come before U+FFEE.
    equal(ids.toSorted().indexOf("\u{1F600}") < ids.toSorted().indexOf("\uFFEE"), true);
    deepEqual(await idsOf(store, { idPrefix: "\u{1F600}" }), ["\u{1F600}"]);
  },

  "a list has its own account, region and kind only": async (store) => {
    const base = recordNamed("a", 1);
    await commit(
      store,
      put(base),
      put({ ...base, region: "eu-west-1", id: "other-region" }),
      put({ ...base, kind: "sqs.queues", id: "other-kind" }),
      put({ ...base, accountId: "1", id: "other-account" }),
    );
    deepEqual(await idsOf(store), ["a"]);
    const scopes = await store.query({ kind: "sqs.scopes" });
    deepEqual(scopes, [
      { accountId: "1", region },
      { accountId, region: "eu-west-1" },
      { accountId, region },
    ]);
  },

  "values of the installation are kept by name": async (store) => {
    equal(await store.query({ kind: "meta.get", name: "ring" }), undefined);
    await commit(store, { kind: "meta.put", name: "ring", value: Buffer.from([0, 1, 255]) });
    await commit(store, { kind: "meta.put", name: "ring", value: Buffer.from([0, 2, 255]) });
    const value = await store.query({ kind: "meta.get", name: "ring" });
    deepEqual(Buffer.from(value as Uint8Array), Buffer.from([0, 2, 255]));
  },

  "a closed store says so": async (store) => {
    await store.close();
    const closed = (error: unknown) => error instanceof Fault && error.kind === "store-closed";
    await rejects(store.query({ kind: "meta.get", name: "ring" }), closed);
  },
};
