import { type Command, InvalidArgumentError, Option } from "commander";
import type { Costs, KeyCosts, PlaceCosts, PrincipalCosts } from "../costs/report.ts";
import type { AccountVerbTools } from "./accounts.ts";
import { askServer } from "./admin-client.ts";
import { parseDurationSeconds } from "./duration.ts";
import { type Paint, paintFor } from "./paint.ts";
import { findCredentials, findServer } from "./running-server.ts";

interface CostAnswer extends Costs {
  readonly period: { readonly from: string; readonly to: string; readonly seconds: number };
  readonly unitPrices: { readonly perTenThousandRequests: number; readonly perKeyAndMonth: number };
  readonly keyPrice: number;
  readonly resources: readonly PlaceCosts[];
  readonly keys: readonly KeyCosts[];
  readonly notes: readonly string[];
}

type PeriodChoice = { readonly seconds: string } | { readonly month: string };

/** `sealpost cost`: KMS requests and their price, predicted and counted. */
export function addCostVerb(program: Command, tools: AccountVerbTools): void {
  const { io, finish, dataOption, folderOf } = tools;
  const verb = program
    .command("cost")
    .description("predict KMS requests by AWS's formulas and count those in the audit")
    .option("--topic <ARN>", "of this topic")
    .option("--queue <ARN>", "of this queue")
    .option("--key <ARN>", "of this key, whatever it is used for")
    .option("--period <PERIOD>", "31d, 12h (up to now), or a month such as 2026-01", readPeriod)
    .option("--request-price <USD>", "of 10,000 requests (default 0.03)")
    .option("--key-price <USD>", "of a customer managed key and month (default 1)")
    .addOption(dataOption())
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  verb.action(async () => {
    const option = (name: string): string | undefined => verb.getOptionValue(name);
    const period: PeriodChoice | undefined = verb.getOptionValue("period");
    const query = {
      topic: option("topic"),
      queue: option("queue"),
      key: option("key"),
      requestPrice: option("requestPrice"),
      keyPrice: option("keyPrice"),
      ...period,
    };
    const folder = folderOf(verb);
    const request = { method: "GET", path: "/_sealpost/cost", query } as const;
    const credentials = findCredentials(folder, io);
    // The server is of the same package, so its answer has the form that is expected here.
    const answer = (await askServer(
      findServer(folder, io),
      credentials,
      request,
      io.now(),
    )) as unknown as CostAnswer;
    const json = option("format") === "json";
    io.out(json ? `${JSON.stringify(answer)}\n` : costText(answer, paintFor(io)));
    finish(0);
  });
}

function readPeriod(text: string): PeriodChoice {
  if (/^\d{4}-\d{2}$/.test(text)) return { month: text };
  const seconds = /^\d+[smhdwy]?$/.test(text) ? parseDurationSeconds(text) : 0;
  if (seconds > 0) return { seconds: String(seconds) };
  throw new InvalidArgumentError("Write 31d, 12h, 300s or a month such as 2026-01.");
}

function costText(answer: CostAnswer, paint: Paint): string {
  const { period, unitPrices, resources, keys, notes } = answer;
  const lines = [
    `KMS requests from ${period.from} to ${period.to} (${grouped(period.seconds)} s)`,
    `at $${unitPrices.perTenThousandRequests} for 10,000 and ` +
      `$${unitPrices.perKeyAndMonth} for a customer managed key and month`,
    ...resources.flatMap((one) => ["", ...placeLines(one, paint)]),
    ...keys.flatMap((one) => ["", ...keyLines(one, paint)]),
    "",
    `${paint.strong("all")}  ${figures(answer)}  keys $${money(answer.keyPrice)}`,
    "",
    ...notes.map((note) => paint.faint(`- ${note}`)),
  ];
  return `${lines.join("\n")}\n`;
}

function placeLines(place: PlaceCosts, paint: Paint): readonly string[] {
  const { producers, consumers, here, basis } = place;
  const who = basis === "seen" ? "seen" : "allowed by the policies; nobody was seen yet";
  const people = here ? `P ${producers}, C ${consumers}` : `P ${producers}`;
  return [
    paint.strong(place.resource),
    `  ${figures(place)}`,
    `  AWS: ${place.formula}, D ${place.dataKeyReuseSeconds} s, ${people} (${who})`,
    ...(here
      ? [
          `  here: ${here.formula}, ${grouped(here.predictedRequests)} requests where no backlog lies`,
        ]
      : []),
    ...principalLines(place.principals, paint),
  ];
}

function keyLines(key: KeyCosts, paint: Paint): readonly string[] {
  return [
    paint.strong(key.key),
    `  ${figures(key)}  key $${money(key.keyPrice)}`,
    ...principalLines(key.principals, paint),
  ];
}

function principalLines(principals: readonly PrincipalCosts[], paint: Paint): readonly string[] {
  return principals.flatMap((one) => {
    const roles = one.roles.length > 0 ? ` (${one.roles.join(", ")})` : "";
    const failed = one.failed > 0 ? `, ${grouped(one.failed)} failed` : "";
    return [
      `    ${one.principal}${roles}`,
      `      ${figures(one)}`,
      paint.faint(
        `      GenerateDataKey ${grouped(one.generateDataKey)}, Decrypt ${grouped(one.decrypt)}, ` +
          `other ${grouped(one.other)}${failed}`,
      ),
    ];
  });
}

function figures({ predictedRequests, countedRequests, prices }: Costs): string {
  return (
    `predicted ${grouped(predictedRequests)} ($${money(prices.predicted)})  ` +
    `counted ${grouped(countedRequests)} ($${money(prices.counted)})`
  );
}

/** 17,856 */
function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function money(amount: number): string {
  return amount.toFixed(4);
}
