import { deepEqual } from "node:assert/strict";
import type { Store } from "../../../src/kernel/command.ts";
import type {
  AuditEvent,
  HistoryFacts,
  LookupAttribute,
  LookupAuditEvents,
} from "../../../src/services/cloudtrail/store.ts";
import type { Contract } from "./fixtures.ts";
import { accountId, commit, region } from "./fixtures.ts";

/** More than two times what a store may index at once, and no multiple of it. */
const count = 2_500;

export interface Written extends HistoryFacts {
  readonly number: number;
  readonly timeMs: number;
}

/** Events of several clocks: numbers and times do not go quite the same way. */
export function longHistory(): readonly Written[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const key = `arn:${number % 700}`;
    const timeMs = 10_000 + Math.floor(number / 3) + (number % 50 === 0 ? 900 : 0);
    return {
      number,
      timeMs,
      eventId: number % 2 === 0 ? idAt(timeMs, number) : `e${number}`,
      eventName: number % 1000 === 7 ? "Rare" : "Decrypt",
      eventSource: "kms.amazonaws.com",
      username: number % 2 === 0 ? "alice" : "",
      accessKeyId: "AKIA",
      readOnly: number % 400 !== 0,
      resources: [
        { type: "T", name: key },
        ...(number % 10 === 0 ? [{ type: "T", name: `${key}-also` }] : []),
      ],
    };
  });
}

/** As the audit makes them: the time comes first. */
function idAt(timeMs: number, number: number): string {
  const time = timeMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, "0")}`;
}

function eventOf({ number, timeMs, ...history }: Written): AuditEvent {
  const record = [`{"eventID":"`, String(number), `"}`];
  return { accountId, region, timeMs, record, history, trails: [] };
}

const attributes: readonly (LookupAttribute | undefined)[] = [
  undefined,
  { name: "EventId", value: "e77" },
  { name: "EventId", value: "e2333" },
  { name: "EventId", value: idAt(10_366, 1_100) },
  { name: "EventId", value: idAt(10_000 + 716 + 900, 2_150) },
  { name: "EventId", value: idAt(10_366, 1) },
  { name: "EventName", value: "Rare" },
  { name: "Username", value: "alice" },
  { name: "ReadOnly", value: false },
  { name: "ResourceType", value: "T" },
  { name: "ResourceName", value: "arn:10" },
  { name: "ResourceName", value: "arn:10-also" },
  { name: "EventSource", value: "sqs.amazonaws.com" },
];

function matches(event: Written, attribute: LookupAttribute | undefined): boolean {
  switch (attribute?.name) {
    case undefined:
      return true;
    case "EventId":
      return event.eventId === attribute.value;
    case "EventName":
      return event.eventName === attribute.value;
    case "Username":
      return event.username === attribute.value;
    case "ReadOnly":
      return event.readOnly === attribute.value;
    case "ResourceType":
      return event.resources.some(({ type }) => type === attribute.value);
    case "ResourceName":
      return event.resources.some(({ name }) => name === attribute.value);
    default:
      return false;
  }
}

/** Every question over two stretches of time, in pages, against the plain list. */
export async function compareLookups(store: Store, events: readonly Written[]): Promise<void> {
  for (const attribute of attributes) {
    for (const [startMs, endMs] of [
      [0, 99_999],
      [10_200, 10_500],
    ] as const) {
      const expected = events
        .filter((event) => matches(event, attribute))
        .filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs)
        .sort((left, right) => right.timeMs - left.timeMs || right.number - left.number)
        .map(({ number }) => number);
      deepEqual(await numbersOf(store, { attribute, startMs, endMs }), expected);
    }
  }
}

type Question = Pick<LookupAuditEvents, "startMs" | "endMs"> & {
  readonly attribute: LookupAttribute | undefined;
};

async function numbersOf(store: Store, { attribute, ...time }: Question): Promise<number[]> {
  const place = { kind: "audit.lookup", accountId, region, limit: 400, ...time } as const;
  const seen: number[] = [];
  let after: LookupAuditEvents["after"];
  for (;;) {
    const page = await store.query<LookupAuditEvents>({
      ...place,
      ...(attribute && { attribute }),
      ...(after && { after }),
    });
    seen.push(...page.map(({ number }) => number));
    const last = page.at(-1);
    if (last === undefined || page.length < place.limit) return seen;
    after = { timeMs: last.timeMs, number: last.number };
  }
}

export const longHistoryContract: Contract = {
  "a long history answers every question, also once its beginning is gone": async (store) => {
    const events = longHistory();
    await commit(store, { kind: "audit.unlock", version: 1, key: new Uint8Array(32) });
    for (let at = 0; at < events.length; at += 500) {
      const part = events.slice(at, at + 500).map(eventOf);
      await commit(store, { kind: "audit.append", events: part });
    }
    await compareLookups(store, events);
    const prune = { kind: "audit.prune", accountId, region, throughNumber: 1_500 } as const;
    for (const rowsMax of [1_100, 1_000]) await commit(store, { ...prune, rowsMax });
    await compareLookups(store, events.slice(1_500));
  },
};
