import { type Command, InvalidArgumentError, Option } from "commander";
import type { Json } from "../kernel/json.ts";
import { type AdminRequest, askServer } from "./admin-client.ts";
import { parseDurationSeconds } from "./duration.ts";
import type { CliIo } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";

/** What the program lends to the verbs. */
export interface AccountVerbTools {
  readonly io: CliIo;
  readonly finish: (code: number) => void;
  readonly dataOption: () => Option;
  readonly folderOf: (verb: Command) => string;
}

type Facts = Readonly<Record<string, Json>>;

/** `account`, `root-credentials` and `service-credential`: all through the admin API. */
export function addAccountVerbs(program: Command, tools: AccountVerbTools): void {
  addAccountVerb(program, tools);
  addRootVerb(program, tools);
  addServiceVerb(program, tools);
}

function addAccountVerb(program: Command, tools: AccountVerbTools): void {
  const verb = program.command("account").description("create and list accounts");
  const create = verb
    .command("create")
    .description("make an account; prints the credentials of its root user, once")
    .argument("<name>", "name of the account");
  action(create, tools, (name: string) => ({
    request: { method: "POST", path: "/_sealpost/accounts", body: { name } },
    text: credentialLines,
  }));
  action(verb.command("list").description("list the accounts"), tools, () => ({
    request: { method: "GET", path: "/_sealpost/accounts" },
    text: ({ accounts }) =>
      listOf(accounts).map(
        ({ accountId, name, operator, kmsOptIn }) =>
          `${accountId}  ${name}${operator ? " (operator)" : ""}${kmsOptIn ? "" : " (no KMS)"}`,
      ),
  }));
  const optIn = verb
    .command("kms-opt-in")
    .description("let an account use KMS, or not (default on)")
    .argument("<id>", "account id of 12 digits")
    .argument("<on|off>", "on or off", onOff);
  action(optIn, tools, (accountId: string, on: boolean) => ({
    request: { method: "POST", path: "/_sealpost/accounts/kms-opt-in", body: { accountId, on } },
    text: ({ kmsOptIn }) => [`${accountId}: KMS ${kmsOptIn ? "on" : "off"}`],
  }));
}

function addRootVerb(program: Command, tools: AccountVerbTools): void {
  const verb = program
    .command("root-credentials")
    .description("replace the root credentials, or take them away");
  const account = () => new Option("--account <ID>", "account (default the operator's)");
  const rotate = verb
    .command("rotate")
    .description("make new root credentials; the old ones and their sessions end at once")
    .addOption(account());
  action(rotate, tools, () => ({
    request: {
      method: "POST",
      path: "/_sealpost/root-credentials/rotate",
      body: given({ accountId: rotate.getOptionValue("account") }),
    },
    text: credentialLines,
  }));
  const disable = verb
    .command("disable")
    .description("take root all its access keys; `rotate` by an IAM user brings new ones")
    .addOption(account());
  action(disable, tools, () => ({
    request: {
      method: "POST",
      path: "/_sealpost/root-credentials/disable",
      body: given({ accountId: disable.getOptionValue("account") }),
    },
    text: ({ accountId }) => [`root of ${accountId} has no access key any more`],
  }));
}

function addServiceVerb(program: Command, tools: AccountVerbTools): void {
  const verb = program
    .command("service-credential")
    .description("access keys for services that publish, such as s3.amazonaws.com");
  const path = "/_sealpost/service-credentials";
  const create = verb
    .command("create")
    .description("make an access key that calls as the service; shown once")
    .argument("<principal>", "service principal, such as s3.amazonaws.com")
    .option("--source-account <ID>", "account of the source (default the operator's)")
    .option("--source-arn <ARN>", "the source itself, such as a bucket")
    .option(
      "--expires <PERIOD>",
      "when it ends, such as 90d (default never)",
      parseDurationSeconds,
    );
  action(create, tools, (service: string) => ({
    request: {
      method: "POST",
      path,
      body: given({
        service,
        sourceAccountId: create.getOptionValue("sourceAccount"),
        sourceArn: create.getOptionValue("sourceArn"),
        expiresSeconds: create.getOptionValue("expires"),
      }),
    },
    text: credentialLines,
  }));
  action(verb.command("list").description("list the service credentials"), tools, () => ({
    request: { method: "GET", path },
    text: ({ serviceCredentials }) => listOf(serviceCredentials).map(credentialLine),
  }));
  const rotate = verb
    .command("rotate")
    .description("replace a key by another one with the same rights")
    .argument("<access-key-id>")
    .option("--keep <PERIOD>", "let the old key work on so long, such as 1h", parseDurationSeconds);
  action(rotate, tools, (accessKeyId: string) => ({
    request: {
      method: "POST",
      path: `${path}/rotate`,
      body: given({ accessKeyId, keepSeconds: rotate.getOptionValue("keep") }),
    },
    text: credentialLines,
  }));
  const revoke = verb.command("revoke").description("end a key").argument("<access-key-id>");
  action(revoke, tools, (accessKeyId: string) => ({
    request: { method: "POST", path: `${path}/revoke`, body: { accessKeyId } },
    text: () => [`${accessKeyId} is revoked`],
  }));
}

function credentialLine(one: Facts): string {
  const ends = one.expiresAt === null ? "" : `  until ${one.expiresAt}`;
  return `${one.accessKeyId}  ${one.service}  for ${one.sourceArn ?? one.sourceAccountId}${ends}`;
}

interface Asked {
  readonly request: AdminRequest;
  /** Lines for people. */
  text(answer: Facts): readonly string[];
}

/** Gives a verb its options and its way to the server. */
function action<A extends readonly unknown[]>(
  verb: Command,
  { io, finish, dataOption, folderOf }: AccountVerbTools,
  ask: (...given: A) => Asked,
): void {
  verb.addOption(dataOption());
  verb.addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  verb.action(async (...values: unknown[]) => {
    const { request, text } = ask(...(values.slice(0, -2) as unknown as A));
    const folder = folderOf(verb);
    const server = findServer(folder, io);
    const answer = await askServer(server, findCredentials(folder, io), request, io.now());
    const { warnings, ...facts } = answer as Facts;
    for (const warning of Array.isArray(warnings) ? warnings : []) io.err(`warning: ${warning}\n`);
    const json = verb.getOptionValue("format") === "json";
    io.out(
      json
        ? `${JSON.stringify(facts)}\n`
        : text(facts)
            .map((line) => `${line}\n`)
            .join(""),
    );
    finish(0);
  });
}

function credentialLines(facts: Facts): readonly string[] {
  return Object.entries(facts).map(([name, value]) => `${name}  ${value}`);
}

export function listOf(value: Json | undefined): readonly Facts[] {
  return Array.isArray(value) ? (value as readonly Facts[]) : [];
}

/** Without what was not given: the server's defaults hold. */
export function given(members: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Json;
}

function onOff(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new InvalidArgumentError("on or off is expected");
}
