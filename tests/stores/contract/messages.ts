import { deepEqual, equal } from "node:assert/strict";
import type { ClaimResult, MeasureQueue, QueueIdentity } from "../../../src/services/sqs/store.ts";
import type { Contract } from "./fixtures.ts";
import {
  claimFrom,
  commit,
  countsOf,
  dataKeyNamed,
  insertInto,
  messageNamed,
  putDataKey,
  queueNamed,
  queueWith,
} from "./fixtures.ts";

const idsIn = (result: ClaimResult) => result.messages.map((message) => message.messageId);
const noMore = { visible: 0, inFlight: 0, delayed: 0 };

/** Claims as the commands that follow name them. */
const claimsIn = (result: ClaimResult, claimId: string) =>
  result.messages.map(({ sequence }) => ({ sequence, claimId }));

export const messagesContract: Contract = {
  "a claimed message comes back whole, with its data key once": async (store) => {
    const queue = await queueWith(store, "m1", "m2");
    const [claimed] = await commit(store, claimFrom(queue, 5000, "c1"));
    const [first] = claimed.messages;
    equal(claimed.messages.length, 2);
    deepEqual(
      { ...first, bytes: String(first?.bytes), placeMac: String(first?.placeMac) },
      {
        sequence: first?.sequence,
        messageId: "m1",
        dataKeyId: "key-1",
        bytes: String(Uint8Array.from(Buffer.from("body of m1"))),
        placeMac: String(Uint8Array.from(Buffer.from("mac of m1"))),
        attributes: '{"a":1}',
        systemAttributes: '{"s":1}',
        senderId: "AIDASENDER",
        sentMs: 1000,
        firstReceivedMs: 5000,
        receiveCount: 1,
        visibleAtMs: 1000,
        deadLetterSourceArn: "",
        groupId: "",
      },
    );
    equal(claimed.dataKeys.length, 1);
    const [key] = claimed.dataKeys;
    const expected = dataKeyNamed("key-1");
    deepEqual({ ...key, blob: String(key?.blob) }, { ...expected, blob: bytesOf(expected.blob) });
  },

  "a claimed message is invisible until its time, then counts up": async (store) => {
    const queue = await queueWith(store, "m1");
    const hidden = { visibleAgainMs: 6000 };
    await commit(store, claimFrom(queue, 5000, "c1", hidden));
    const [tooSoon] = await commit(store, claimFrom(queue, 5999, "c2", hidden));
    deepEqual(idsIn(tooSoon), []);
    equal(await store.query({ kind: "sqs.next-visible", queue, nowMs: 5999 }), 6000);
    const [again] = await commit(store, claimFrom(queue, 6000, "c3"));
    deepEqual(idsIn(again), ["m1"]);
    equal(again.messages[0]?.receiveCount, 2);
    equal(again.messages[0]?.firstReceivedMs, 5000);
  },

  "the oldest message is the first that was received less often than asked": async (store) => {
    const queue = await queueWith(store, "m1", "m2", "m3");
    const oldest = async (agedReceives: number, retainedSinceMs = 0) => {
      const asked = { queue, nowMs: 9000, retainedSinceMs, agedReceives };
      const measure: MeasureQueue = { kind: "sqs.measure", ...asked };
      return (await store.query(measure)).oldestSentMs;
    };
    for (const [claimId, count] of [
      ["c1", 2],
      ["c2", 1],
    ] as const) {
      await commit(store, claimFrom(queue, 5000, claimId, { count, visibleAgainMs: 500 }));
    }
    deepEqual(await Promise.all([9, 2, 1].map((receives) => oldest(receives))), [1000, 1001, 1002]);
    equal(await oldest(9, 1001), 1001);
    await commit(store, claimFrom(queue, 5000, "c3"));
    equal(await oldest(1), undefined);
  },

  "claims go by time of visibility, then by place": async (store) => {
    const queue = queueNamed();
    const at = (visibleAtMs: number) => ({ visibleAtMs });
    await commit(
      store,
      putDataKey(dataKeyNamed("key-1")),
      insertInto(
        queue,
        messageNamed("late", "key-1", 10, at(300)),
        messageNamed("early", "key-1", 10, at(100)),
        messageNamed("tie 1", "key-1", 10, at(200)),
        messageNamed("tie 2", "key-1", 10, at(200)),
        messageNamed("hidden", "key-1", 10, at(900)),
      ),
    );
    const [three] = await commit(store, claimFrom(queue, 500, "c1", { count: 3 }));
    deepEqual(idsIn(three), ["early", "tie 1", "tie 2"]);
    const [rest] = await commit(store, claimFrom(queue, 500, "c2"));
    deepEqual(idsIn(rest), ["late"]);
  },

  "a queue sees its own messages only": async (store) => {
    const queue = await queueWith(store, "m1");
    const others: QueueIdentity[] = [
      { ...queue, accountId: "1" },
      { ...queue, region: "eu-west-1" },
      { ...queue, queueId: `${queue.queueId}0` },
    ];
    for (const other of others) {
      const [claimed] = await commit(store, claimFrom(other, 5000, "c1"));
      deepEqual(idsIn(claimed), []);
    }
  },

  "messages beyond retention are neither claimed nor counted": async (store) => {
    const queue = await queueWith(store, "old", "young");
    const [claimed] = await commit(store, claimFrom(queue, 5000, "c1", { retainedSinceMs: 1001 }));
    deepEqual(idsIn(claimed), ["young"]);
    deepEqual(await store.query(countsOf(queue, 5000, 1001)), { ...noMore, inFlight: 1 });
    deepEqual(await store.query(countsOf(queue, 5000, 1002)), noMore);
    deepEqual(await store.query(countsOf(queue, 5000)), { visible: 1, inFlight: 1, delayed: 0 });
  },

  "no more are in flight than the limit": async (store) => {
    const queue = await queueWith(store, "m1", "m2", "m3");
    const limit = { inFlightMax: 2 };
    const [first] = await commit(store, claimFrom(queue, 5000, "c1", { ...limit, count: 1 }));
    equal(first.overLimit, false);
    const [second] = await commit(store, claimFrom(queue, 5000, "c2", limit));
    deepEqual(idsIn(second), ["m2"]);
    const [third] = await commit(store, claimFrom(queue, 5000, "c3", limit));
    deepEqual([idsIn(third), third.overLimit], [[], true]);
    const messages = claimsIn(second, "c2");
    const [, fourth] = await commit(
      store,
      { kind: "sqs.delete", queue, messages },
      claimFrom(queue, 5000, "c4", limit),
    );
    deepEqual([idsIn(fourth), fourth.overLimit], [["m3"], false]);
  },

  "exhausted messages come apart, uncounted, and do not fill the claim": async (store) => {
    const queue = await queueWith(store, "m1", "m2", "m3");
    const limit = { receiveCountMax: 1, visibleAgainMs: 5000 };
    const [first] = await commit(store, claimFrom(queue, 5000, "c1", { ...limit, count: 2 }));
    deepEqual(idsIn(first), ["m1", "m2"]);
    const [second] = await commit(store, claimFrom(queue, 5001, "c2", { ...limit, count: 1 }));
    deepEqual(idsIn(second), ["m3"]);
    const third = (await commit(store, claimFrom(queue, 5002, "c3", limit)))[0];
    deepEqual(idsIn(third), []);
    const counts = third.exhausted.map((message) => [message.messageId, message.receiveCount]);
    deepEqual(counts, [
      ["m1", 1],
      ["m2", 1],
      ["m3", 1],
    ]);
    // Hidden although the claim asked for no visibility timeout: the move must find them.
    deepEqual(await store.query(countsOf(queue, 5003)), { ...noMore, inFlight: 3 });
    // Not counted, so an undo takes nothing away.
    const back = third.exhausted.map(({ sequence, visibleAtMs }) => {
      return { sequence, claimId: "c3", visibleAtMs };
    });
    await commit(store, { kind: "sqs.unclaim", queue, messages: back });
    const [fourth] = await commit(store, claimFrom(queue, 5004, "c4", { receiveCountMax: 2 }));
    equal(fourth.messages[0]?.receiveCount, 2);
  },

  "an undone claim never was": async (store) => {
    const queue = await queueWith(store, "m1");
    const [first] = await commit(store, claimFrom(queue, 5000, "c1", { visibleAgainMs: 5100 }));
    const [second] = await commit(store, claimFrom(queue, 5200, "c2"));
    const undo = second.messages.map(({ sequence, visibleAtMs }) => {
      return { sequence, claimId: "c2", visibleAtMs };
    });
    await commit(store, { kind: "sqs.unclaim", queue, messages: undo });
    deepEqual(await store.query(countsOf(queue, 5200)), { ...noMore, visible: 1 });
    // The handle of the receive before is as good as it was.
    const [deleted] = await commit(store, {
      kind: "sqs.delete",
      queue,
      messages: claimsIn(first, "c1"),
    });
    deepEqual(deleted, ["deleted"]);
  },

  "an undone first claim forgets the first receive; a superseded undo does nothing": async (
    store,
  ) => {
    const queue = await queueWith(store, "m1");
    const [first] = await commit(store, claimFrom(queue, 5000, "c1", { visibleAgainMs: 5100 }));
    const undo = first.messages.map(({ sequence, visibleAtMs }) => {
      return { sequence, claimId: "c1", visibleAtMs };
    });
    await commit(store, { kind: "sqs.unclaim", queue, messages: undo });
    const [second] = await commit(store, claimFrom(queue, 5050, "c2"));
    equal(second.messages[0]?.receiveCount, 1);
    equal(second.messages[0]?.firstReceivedMs, 5050);
    await commit(store, { kind: "sqs.unclaim", queue, messages: undo });
    deepEqual(await store.query(countsOf(queue, 5051)), { ...noMore, inFlight: 1 });
  },

  "a delete says deleted, superseded or absent": async (store) => {
    const queue = await queueWith(store, "m1", "m2");
    const [first] = await commit(store, claimFrom(queue, 5000, "c1", { visibleAgainMs: 5100 }));
    const [[one], [two]] = [claimsIn(first, "c1").slice(0, 1), claimsIn(first, "c1").slice(1)];
    await commit(store, claimFrom(queue, 5100, "c2", { count: 1 }));
    const messages = [one, two, two, { sequence: 2 ** 50, claimId: "c1" }].filter(
      (message) => message !== undefined,
    );
    const [results] = await commit(store, { kind: "sqs.delete", queue, messages });
    deepEqual(results, ["superseded", "deleted", "absent", "absent"]);
    deepEqual(await store.query(countsOf(queue, 5101)), { ...noMore, inFlight: 1 });
  },

  "visibility changes say changed, superseded, absent or beyond the limit": async (store) => {
    const queue = await queueWith(store, "m1", "m2");
    const [claimed] = await commit(store, claimFrom(queue, 5000, "c1"));
    const [one, two] = claimed.messages.map((message) => message.sequence);
    const to = (sequence = 0, claimId = "c1", visibleAtMs = 7000) => {
      return { sequence, claimId, visibleAtMs };
    };
    const changes = [
      to(one),
      to(two, "c0"),
      to(2 ** 50),
      to(two, "c1", 5000 + 43_200_000),
      to(two, "c1", 5001 + 43_200_000),
    ];
    const [results] = await commit(store, {
      kind: "sqs.visibility",
      queue,
      nowMs: 6000,
      heldMsMax: 43_200_000,
      changes,
    });
    deepEqual(results, ["changed", "superseded", "absent", "changed", "beyond-limit"]);
    const [again] = await commit(store, claimFrom(queue, 7000, "c2"));
    deepEqual(idsIn(again), ["m1"]);
  },
};

function bytesOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : String(Uint8Array.from(bytes));
}
