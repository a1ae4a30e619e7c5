import { deepEqual } from "node:assert/strict";
import type { Store } from "../../../src/kernel/command.ts";
import type {
  AuditEvent,
  LookupAttribute,
  LookupAuditEvents,
} from "../../../src/services/cloudtrail/store.ts";
import type { Contract } from "./fixtures.ts";
import { accountId, commit, region } from "./fixtures.ts";

function eventNamed(
  eventId: string,
  timeMs: number,
  changes: Partial<AuditEvent> = {},
): AuditEvent {
  return {
    accountId,
    region,
    eventId,
    timeMs,
    eventName: "CreateKey",
    eventSource: "kms.amazonaws.com",
    username: "alice",
    accessKeyId: "AKIAALICE",
    readOnly: false,
    resources: [],
    record: `{"eventID":"${eventId}"}`,
    ...changes,
  };
}

async function append(store: Store, ...events: AuditEvent[]): Promise<void> {
  await commit(store, { kind: "audit.append", events });
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
    const { position: _position, ...event } = found[1] ?? { position: 0 };
    deepEqual(event, first);
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
        after = { timeMs: last.timeMs, position: last.position };
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
    const prune = { kind: "audit.prune", beforeMs: 3, rowsMax: 1 } as const;
    deepEqual((await commit(store, prune))[0], { removed: 1 });
    deepEqual(await idsBy(store, { name: "ResourceType", value: "T" }), ["e3", "e2"]);
    deepEqual((await commit(store, prune))[0], { removed: 1 });
    deepEqual((await commit(store, prune))[0], { removed: 0 });
    deepEqual(await idsBy(store, { name: "ResourceName", value: "n" }), ["e3"]);
  },
};
