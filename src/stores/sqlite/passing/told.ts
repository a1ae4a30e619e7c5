import type { Command, CommitAnswer } from "../../../kernel/command.ts";
import type { Asked, Told } from "../group.ts";
import { type Way, wayNumbered, wayOf } from "./asked.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";
import { plain } from "./plain.ts";

/** An answer on its way, with the question that says what form its results have. */
export interface Answered {
  readonly asked: Asked;
  readonly told: Told;
}

const marks = { plain: 0, done: 1 } as const;
/** A result that is undefined, which most are. */
const nothing = 255;

export const answered = {
  write(to: Outgoing, { asked, told }: Answered): void {
    const answer = doneCommit(asked, told);
    to.byte(answer ? marks.done : marks.plain);
    if (!answer) {
      plain.write(to, told);
      return;
    }
    to.size(answer.commands.length);
    for (const [index, { kind }] of answer.commands.entries()) {
      writeResult(to, kind, answer.results[index]);
    }
  },
  read(from: Incoming): Told {
    if (from.byte() === marks.plain) return plain.read(from) as Told;
    const results: unknown[] = new Array(from.size()).fill(undefined);
    for (let index = 0; index < results.length; index++) results[index] = readResult(from);
    const value: CommitAnswer = { status: "done", results, versions: [] };
    return { kind: "value", value };
  },
};

interface Done {
  readonly commands: readonly Command[];
  readonly results: readonly unknown[];
}

/** A commit that was carried out and changed no account's configuration. */
function doneCommit(asked: Asked, told: Told): Done | undefined {
  if (asked.kind !== "commit" || told.kind !== "value") return undefined;
  const { commands } = asked.request;
  const answer = told.value as CommitAnswer;
  if (answer.status !== "done" || answer.versions.length > 0) return undefined;
  return { commands, results: answer.results };
}

function writeResult(to: Outgoing, kind: string, result: unknown): void {
  if (result === undefined) {
    to.byte(nothing);
    return;
  }
  const way: Way = wayOf(kind);
  to.byte(way.number);
  way.result.write(to, result);
}

function readResult(from: Incoming): unknown {
  const number = from.byte();
  return number === nothing ? undefined : wayNumbered(number).result.read(from);
}
