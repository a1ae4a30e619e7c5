import { type Command, Option } from "commander";
import type { Json } from "../kernel/json.ts";
import { type AccountVerbTools, given, listOf } from "./accounts.ts";
import { type AdminRequest, askServer } from "./admin-client.ts";
import { findCredentials, findServer } from "./running-server.ts";

type Facts = Readonly<Record<string, Json>>;

/** `redeliver` and `outbox`: what became of notifications that did not arrive by themselves. */
export function addDeliveryVerbs(program: Command, tools: AccountVerbTools): void {
  const redeliver = program
    .command("redeliver")
    .description("attempt given-up notifications anew, once their cause is mended")
    .option("--topic <ARN>", "of this topic only")
    .option("--subscription <ARN>", "of this subscription only")
    .option("--message <ID>", "this message only");
  add(redeliver, tools, () => ({
    request: {
      method: "POST",
      path: "/_sealpost/redeliver",
      body: given({
        topicArn: redeliver.getOptionValue("topic"),
        subscriptionArn: redeliver.getOptionValue("subscription"),
        messageId: redeliver.getOptionValue("message"),
      }),
    },
    text: ({ redelivering }) => [`${redelivering} given-up notifications are attempted anew`],
  }));
  const outbox = program
    .command("outbox")
    .description("read messages for phones, push and streams, which Sealpost carries to nobody")
    .option("--topic <ARN>", "of this topic only");
  add(outbox, tools, () => ({
    request: {
      method: "GET",
      path: "/_sealpost/outbox",
      query: { topic: outbox.getOptionValue("topic") },
    },
    text: ({ messages }) =>
      listOf(messages).flatMap((one) => [
        `${one.publishedAt}  ${one.protocol} ${one.endpoint}  message ${one.messageId}`,
        `  ${one.problem ?? one.message}`,
      ]),
  }));
}

interface Asked {
  readonly request: AdminRequest;
  readonly text: (facts: Facts) => readonly string[];
}

function add(verb: Command, tools: AccountVerbTools, ask: () => Asked): void {
  const { io, finish, dataOption, folderOf } = tools;
  verb.addOption(dataOption());
  verb.addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  verb.action(async () => {
    const { request, text } = ask();
    const folder = folderOf(verb);
    const server = findServer(folder, io);
    const answer = await askServer(server, findCredentials(folder, io), request, io.now());
    const json = verb.getOptionValue("format") === "json";
    const lines = json ? [JSON.stringify(answer)] : text(answer as Facts);
    io.out(lines.map((line) => `${line}\n`).join(""));
    finish(0);
  });
}
