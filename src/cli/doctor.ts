import { type Command, Option } from "commander";
import { askServer } from "./admin-client.ts";
import {
  type ExplainAnswer,
  explainText,
  type PathAnswer,
  pathText,
  type RevokeAnswer,
  revokeText,
  type SourcesAnswer,
  sourcesText,
  type UndeliveredAnswer,
  type UnopenableAnswer,
  undeliveredText,
  unopenableText,
  type WhoAnswer,
  type WhoAtPlaceAnswer,
  whoText,
} from "./doctor-text.ts";
import type { CliIo } from "./io.ts";
import { paintFor } from "./paint.ts";
import { findCredentials, findServer } from "./running-server.ts";
import { addDoctorStoreVerb } from "./shared-store.ts";

/** What the verb needs of the program that it belongs to. */
export interface DoctorProgram {
  readonly io: CliIo;
  readonly finish: (code: number) => void;
  readonly dataOption: () => Option;
  readonly folderOf: (verb: Command) => string;
}

type Format = "text" | "json";

/** One question to the server: its address, its parameters, and how a person reads the answer. */
interface Question<A> {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly text: (answer: A, paint: ReturnType<typeof paintFor>) => string;
  /** 0: nothing is wrong. */
  readonly exitCode: (answer: A) => number;
}

/**
 * `sealpost doctor …`. Exit codes: 0 nothing is wrong, 1 a hop is denied, a notification was not
 * delivered or a message cannot be opened, 2 the command was not understood.
 */
export function addDoctorVerbs(program: Command, doctor: DoctorProgram): void {
  const verb = program
    .command("doctor")
    .description("explain who may do what, and why a message did not arrive");
  const add = (name: string, description: string): Command =>
    verb
      .command(name)
      .description(description)
      .addOption(doctor.dataOption())
      .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  const run = <A>(command: Command, question: (options: Options) => Question<A>) => {
    command.action(async (options: Options) => {
      doctor.finish(await ask(doctor, command, options.format, question(options)));
    });
  };

  const path = add("path", "walk every hop of a message, from publisher to consumers")
    .requiredOption("--topic <ARN>", "the topic")
    .option("--publisher <ARN>", "who publishes (default: whoever may)")
    .option("--consumer <ARN>", "who receives (default: whoever may)");
  run<PathAnswer>(path, ({ topic, publisher, consumer }) => ({
    path: "/_sealpost/doctor/path",
    query: { topic, publisher, consumer },
    text: pathText,
    exitCode: ({ allowed }) => (allowed ? 0 : 1),
  }));

  const sources = add("sources", "tell which AWS event sources could publish to a topic")
    .requiredOption("--topic <ARN>", "the topic")
    .option("--source <NAME>", "one of them: s3.amazonaws.com");
  run<SourcesAnswer>(sources, ({ topic, source }) => ({
    path: "/_sealpost/doctor/sources",
    query: { topic, source },
    text: sourcesText,
    exitCode: ({ allowed }) => (allowed ? 0 : 1),
  }));

  const explain = add("explain", "explain a denied request");
  explain.option("--request-id <ID>", "the request (default: the latest denials)");
  run<ExplainAnswer>(explain, ({ requestId }) => ({
    path: "/_sealpost/doctor/explain",
    query: { requestId },
    text: explainText,
    exitCode: () => 0,
  }));

  const who = add("who", "tell who may publish, send, receive or use a key, and who did")
    .option("--topic <ARN>", "who may publish to this topic")
    .option("--queue <ARN>", "who may send to this queue and receive from it")
    .option("--key <ARN>", "who may use this key (key ARN or alias ARN)")
    .option("--since <TIME>", "who did from then on: 2026-01-31T00:00:00Z (default: a day ago)")
    .option("--until <TIME>", "who did up to then (default: now)");
  run<WhoAnswer | WhoAtPlaceAnswer>(who, ({ key, topic, queue, since, until }) => ({
    path: "/_sealpost/doctor/who",
    query: { key, topic, queue, since, until },
    text: whoText,
    exitCode: () => 0,
  }));

  const revoke = add("revoke", "tell what stays open when a principal's rights are taken away")
    .requiredOption("--principal <ARN>", "user, role, session, root or service")
    .option("--region <REGION>", "of the keys that are looked at (default: the server's)");
  run<RevokeAnswer>(revoke, ({ principal, region }) => ({
    path: "/_sealpost/doctor/revoke",
    query: { principal, region },
    text: revokeText,
    exitCode: () => 0,
  }));

  const undelivered = add("undelivered", "list notifications that did not reach their queue");
  undelivered.option("--topic <ARN>", "of this topic only");
  run<UndeliveredAnswer>(undelivered, ({ topic }) => ({
    path: "/_sealpost/undelivered",
    query: { topic },
    text: undeliveredText,
    exitCode: ({ notifications }) => (notifications.length === 0 ? 0 : 1),
  }));

  const unopenable = add("unopenable", "list messages in queues that nobody can open now");
  run<UnopenableAnswer>(unopenable, () => ({
    path: "/_sealpost/doctor/unopenable",
    query: {},
    text: unopenableText,
    exitCode: (answer) => (answer.unopenable.length === 0 ? 0 : 1),
  }));

  addDoctorStoreVerb(verb, doctor);
}

interface Options {
  readonly format: Format;
  readonly topic?: string;
  readonly publisher?: string;
  readonly consumer?: string;
  readonly source?: string;
  readonly requestId?: string;
  readonly key?: string;
  readonly queue?: string;
  readonly since?: string;
  readonly until?: string;
  readonly principal?: string;
  readonly region?: string;
}

async function ask<A>(
  { io, folderOf }: DoctorProgram,
  command: Command,
  format: Format,
  question: Question<A>,
): Promise<number> {
  const folder = folderOf(command);
  const server = findServer(folder, io);
  const credentials = findCredentials(folder, io);
  const { path, query } = question;
  const request = { method: "GET", path, query } as const;
  // The server is of the same package, so its answer has the form that is expected here.
  const answer = (await askServer(server, credentials, request, io.now())) as A;
  io.out(format === "json" ? `${JSON.stringify(answer)}\n` : question.text(answer, paintFor(io)));
  return question.exitCode(answer);
}
