import type { AccountVersion, Command, CommitRequest } from "../../../kernel/command.ts";
import { assert } from "../../../kernel/errors.ts";
import type { Asked } from "../group.ts";
import { appendEvents } from "./audit.ts";
import { type Form, readList, writeList } from "./form.ts";
import { plain } from "./plain.ts";
import {
  claimMessages,
  claimResult,
  deleteMessages,
  deleteResults,
  insertMessages,
  placedMessages,
} from "./sqs.ts";

/** How a command goes to the store thread, and what it answers comes back. */
export interface Way {
  readonly number: number;
  readonly kind: string;
  readonly command: Form<Command>;
  /** Of an answer that is not undefined. */
  readonly result: Form<unknown>;
}

/** What is asked thousands of times a second; everything else goes as plain data. */
const ways: readonly Way[] = [
  { number: 0, kind: "", command: plain as Form<Command>, result: plain },
  { number: 1, kind: "sqs.insert", command: insertMessages, result: placedMessages },
  { number: 2, kind: "sqs.claim", command: claimMessages, result: claimResult },
  { number: 3, kind: "sqs.delete", command: deleteMessages, result: deleteResults },
  { number: 4, kind: "audit.append", command: appendEvents, result: plain },
];

const byKind: ReadonlyMap<string, Way> = new Map(ways.map((way) => [way.kind, way]));

export function wayOf(kind: string): Way {
  return byKind.get(kind) ?? wayNumbered(0);
}

export function wayNumbered(number: number): Way {
  const way = ways[number];
  assert(way, "both threads know the same ways");
  return way;
}

const command: Form<Command> = {
  write(to, value) {
    const way = wayOf(value.kind);
    to.byte(way.number);
    way.command.write(to, value);
  },
  read: (from) => wayNumbered(from.byte()).command.read(from),
};

const accountVersion: Form<AccountVersion> = {
  write(to, { accountId, version }) {
    to.name(accountId);
    to.number(version);
  },
  read: (from) => ({ accountId: from.name(), version: from.number() }),
};

const request: Form<CommitRequest> = {
  write(to, { decidedUnder, commands }) {
    writeList(to, accountVersion, decidedUnder);
    writeList(to, command, commands);
  },
  read(from) {
    const decidedUnder = readList(from, accountVersion);
    const commands = readList(from, command);
    from.shared.seal(from.sealer);
    return { decidedUnder, commands };
  },
};

const commitMark = 1;

/** What one client asks for. */
export const asked: Form<Asked> = {
  write(to, value) {
    to.byte(value.kind === "commit" ? commitMark : 0);
    if (value.kind === "commit") request.write(to, value.request);
    else plain.write(to, value.query);
  },
  read: (from) =>
    from.byte() === commitMark
      ? { kind: "commit", request: request.read(from) }
      : { kind: "query", query: plain.read(from) as Extract<Asked, { kind: "query" }>["query"] },
};
