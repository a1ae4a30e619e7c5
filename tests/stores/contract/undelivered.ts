import { deepEqual, equal } from "node:assert/strict";
import type { Store } from "../../../src/kernel/command.ts";
import {
  type DueUndelivered,
  type ListLanes,
  type ListUndelivered,
  outboxCode,
  type UndeliveredNotification,
} from "../../../src/services/sns/store.ts";
import type { Contract } from "./fixtures.ts";
import { accountId, commit, dataKeyNamed, putDataKey, region, sealedUnder } from "./fixtures.ts";

const topicArn = `arn:aws:sns:${region}:${accountId}:orders`;
const subscriptionArn = `${topicArn}:11111111-1111-4111-8111-111111111111`;

function notification(
  messageId: string,
  publishedMs: number,
  changes: Partial<UndeliveredNotification> = {},
): UndeliveredNotification {
  return {
    accountId,
    region,
    subscriptionArn,
    topicArn,
    messageId,
    sealed: sealedUnder("key-1", `body of ${messageId}`),
    metadata: '{"Subject":"s"}',
    publishedMs,
    attempts: 1,
    nextAttemptMs: publishedMs + 100,
    failureCode: "AccessDenied",
    failureText: "the queue policy does not allow it",
    ...changes,
  };
}

async function put(store: Store, ...notifications: UndeliveredNotification[]): Promise<void> {
  const puts = notifications.map((it) => {
    return { kind: "sns.undelivered.put", notification: it } as const;
  });
  await commit(store, putDataKey(dataKeyNamed("key-1")), ...puts);
}

async function due(store: Store, nowMs: number, limit = 10): Promise<string[]> {
  const query = { kind: "sns.undelivered.due", subscriptionArn, nowMs, limit } as const;
  const rows = await store.query<DueUndelivered>(query);
  return rows.map((row) => row.messageId);
}

async function list(store: Store, changes: Partial<ListUndelivered> = {}): Promise<string[]> {
  const query = { kind: "sns.undelivered.list", accountId, limit: 10, ...changes } as const;
  return (await store.query<ListUndelivered>(query)).map((row) => row.messageId);
}

export const undeliveredContract: Contract = {
  "a notification comes back whole, with its data key": async (store) => {
    const it = notification("m1", 1000, { groupId: "g", sequence: 7 });
    await put(store, it);
    const query = { kind: "sns.undelivered.due", subscriptionArn, nowMs: 2000, limit: 1 } as const;
    const [row] = await store.query<DueUndelivered>(query);
    const { sealed, ...rest } = it;
    const { bytes, dataKey, ...found } = row ?? { bytes: Buffer.alloc(0), dataKey: undefined };
    deepEqual({ ...found }, { ...rest, givenUpMs: undefined, groupId: "g", sequence: 7 });
    deepEqual(Buffer.from(bytes), sealed.bytes);
    equal(dataKey?.keyArn, dataKeyNamed("key-1").keyArn);
  },

  "due ones come earliest first; those given up never": async (store) => {
    await put(
      store,
      notification("m1", 1000, { nextAttemptMs: 3000 }),
      notification("m2", 1000, { nextAttemptMs: 2000 }),
      notification("m3", 1000, { nextAttemptMs: undefined }),
      notification("m4", 1000, { nextAttemptMs: 4000 }),
    );
    deepEqual(await due(store, 3000), ["m2", "m1"]);
    deepEqual(await due(store, 3000, 1), ["m2"]);
    deepEqual(await due(store, 1999), []);
  },

  "a put replaces; a reschedule changes only what is still there": async (store) => {
    await put(store, notification("m1", 1000));
    await put(store, notification("m1", 1000, { attempts: 2, nextAttemptMs: 9000 }));
    deepEqual([await due(store, 8999), await due(store, 9000)], [[], ["m1"]]);
    const outcome = { attempts: 3, nextAttemptMs: undefined, failureCode: "F", failureText: "t" };
    const again = (messageId: string) => {
      const place = { accountId, region, subscriptionArn, messageId };
      return { kind: "sns.undelivered.reschedule", ...place, ...outcome } as const;
    };
    await commit(store, again("m1"), again("gone"));
    deepEqual(await due(store, 99_999), []);
    const query = { kind: "sns.undelivered.list", accountId, limit: 10 } as const;
    const rows = await store.query<ListUndelivered>(query);
    equal(rows.length, 1);
    deepEqual(
      [rows[0]?.attempts, rows[0]?.nextAttemptMs, rows[0]?.failureCode, rows[0]?.failureText],
      [3, undefined, "F", "t"],
    );
  },

  "lists go newest first, by account, region and topic": async (store) => {
    const other = `${topicArn}-2`;
    await put(
      store,
      notification("m1", 1000),
      notification("m2", 3000, { topicArn: other }),
      notification("m3", 2000),
    );
    deepEqual(await list(store), ["m2", "m3", "m1"]);
    deepEqual(await list(store, { limit: 2 }), ["m2", "m3"]);
    deepEqual(await list(store, { topicArn }), ["m3", "m1"]);
    deepEqual(await list(store, { topicArn: other, region }), ["m2"]);
    deepEqual(await list(store, { region }), ["m2", "m3", "m1"]);
    deepEqual(await list(store, { region: "eu-west-1" }), []);
    deepEqual(await list(store, { accountId: "1" }), []);
  },

  "removal and expiry take what they name": async (store) => {
    const second = `${topicArn}:22222222-2222-4222-8222-222222222222`;
    await put(
      store,
      notification("m1", 1000),
      notification("m2", 1001, { nextAttemptMs: undefined, givenUpMs: 5000 }),
      notification("m3", 1002, { subscriptionArn: second }),
      notification("m4", 1003),
      notification("m5", 1004),
    );
    const expire = { kind: "sns.undelivered.expire", rowsMax: 10 } as const;
    const remove = { kind: "sns.undelivered.remove", accountId, region, subscriptionArn } as const;
    await commit(store, { ...remove, messageId: "m4" }, { ...remove, messageId: "gone" });
    deepEqual(await list(store), ["m5", "m3", "m2", "m1"]);
    const early = { ...expire, publishedBeforeMs: 9000, givenUpBeforeMs: 5000 };
    deepEqual((await commit(store, early))[0], { removed: 0 });
    const givenUp = { ...expire, publishedBeforeMs: 9000, givenUpBeforeMs: 5001 };
    deepEqual((await commit(store, givenUp))[0], { removed: 1 });
    deepEqual(await list(store), ["m5", "m3", "m1"]);
    const ofSecond = { ...expire, publishedBeforeMs: 9000, subscriptionArn: second };
    deepEqual((await commit(store, ofSecond))[0], { removed: 1 });
    const before = { ...expire, publishedBeforeMs: 1004 };
    deepEqual((await commit(store, before))[0], { removed: 1 });
    deepEqual(await list(store), ["m5"]);
  },

  "each subscription is a lane, and of a group only the first is due": async (store) => {
    const second = `${topicArn}:22222222-2222-4222-8222-222222222222`;
    await put(
      store,
      notification("m1", 1000, { groupId: "g", sequence: 1, nextAttemptMs: 5000 }),
      notification("m2", 1000, { groupId: "g", sequence: 2, nextAttemptMs: 1000 }),
      notification("m3", 1000, { groupId: "h", sequence: 3, nextAttemptMs: 1000 }),
      notification("m4", 1000, { subscriptionArn: second, nextAttemptMs: 700 }),
      notification("m5", 1000, { subscriptionArn: `${second}0`, nextAttemptMs: undefined }),
    );
    deepEqual(await due(store, 2000), ["m3"]);
    deepEqual(await due(store, 5000), ["m3", "m1"]);
    const lanes = (afterArn: string, limit: number) =>
      store.query<ListLanes>({ kind: "sns.undelivered.lanes", afterArn, limit });
    deepEqual(
      (await lanes("", 10)).map((lane) => ({ ...lane })),
      [
        { subscriptionArn, nextAttemptMs: 1000 },
        { subscriptionArn: second, nextAttemptMs: 700 },
      ],
    );
    equal((await lanes("", 1)).length, 1);
    equal((await lanes(second, 10)).length, 0);
    const place = { accountId, region, subscriptionArn, messageId: "m1" };
    await commit(store, { kind: "sns.undelivered.remove", ...place });
    deepEqual(await due(store, 2000), ["m2", "m3"]);
  },

  "what was given up can be revived; the outbox cannot": async (store) => {
    const end = { nextAttemptMs: undefined, givenUpMs: 3000 };
    await put(
      store,
      notification("m1", 1000, end),
      notification("m2", 1000, { ...end, failureCode: outboxCode }),
      notification("m3", 1000, { nextAttemptMs: 9000, failureCode: "" }),
    );
    deepEqual(
      [await list(store, { only: "failed" }), await list(store, { only: "outbox" })],
      [["m1"], ["m2"]],
    );
    const revive = { kind: "sns.undelivered.revive", accountId, nowMs: 4000 } as const;
    deepEqual((await commit(store, { ...revive, topicArn: "other" }))[0], {
      revived: 0,
      lanes: [],
    });
    deepEqual((await commit(store, revive))[0], {
      revived: 1,
      lanes: [{ subscriptionArn, nextAttemptMs: 4000 }],
    });
    deepEqual(await due(store, 4000), ["m1"]);
  },

  "a data key that a notification names is not swept": async (store) => {
    await put(store, notification("m1", 1000));
    const sweep = { kind: "data-key.sweep", createdBeforeMs: 9000, rowsMax: 10 } as const;
    deepEqual((await commit(store, sweep))[0], { removed: 0 });
    const place = { accountId, region, subscriptionArn, messageId: "m1" };
    await commit(store, { kind: "sns.undelivered.remove", ...place });
    deepEqual((await commit(store, sweep))[0], { removed: 1 });
  },
};
