import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { VerifyReport } from "../assembly/trails.ts";
import { readServerFile } from "../gateway/server-file.ts";
import type { Json } from "../kernel/json.ts";
import { readAnchor } from "../trails/anchor.ts";
import type { AnchoredHead, HistoryReport } from "../trails/history.ts";
import type { TrailReport } from "../trails/verify.ts";
import { askServer } from "./admin-client.ts";
import { CliError, type CliIo, settingsFileText } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";
import { readSettings } from "./settings.ts";

/** What a verb needs of the program that it belongs to. */
export interface VerbProgram {
  readonly io: CliIo;
  readonly finish: (code: number) => void;
  readonly dataOption: () => Option;
  readonly folderOf: (verb: Command) => string;
}

interface Options {
  readonly trail?: string;
  readonly anchor?: string;
  readonly format: "text" | "json";
}

/**
 * `sealpost verify-trail`: the running server checks itself; without one, this process opens the
 * data folder. Exit codes: 0 everything is as it was written, 1 something is not.
 */
export function addVerifyTrailVerb(program: Command, context: VerbProgram): void {
  const verb = program
    .command("verify-trail")
    .description("check the event history and the files of trails")
    .option("--trail <NAME>", "only the files of this trail (name or ARN)")
    .option("--anchor <FILE>", "compare with the heads that --audit-anchor wrote")
    .addOption(context.dataOption())
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  verb.action(async (options: Options) => {
    const { io, finish } = context;
    const folder = context.folderOf(verb);
    const report = chosen(await check(folder, anchorsOf(options), io), options.trail);
    io.out(options.format === "json" ? `${JSON.stringify(report)}\n` : reportText(report));
    finish(report.valid ? 0 : 1);
  });
}

function anchorsOf({ anchor }: Options): readonly AnchoredHead[] {
  if (anchor === undefined) return [];
  try {
    return readAnchor(readFileSync(anchor, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`the anchor ${anchor} cannot be used: ${reason}`, { cause: error });
  }
}

async function check(
  folder: string,
  anchors: readonly AnchoredHead[],
  io: CliIo,
): Promise<VerifyReport> {
  const server = readServerFile(folder);
  if (server === undefined || !io.isAlive(server.pid)) return checkStopped(folder, anchors, io);
  const answer = await askServer(
    findServer(folder, io),
    findCredentials(folder, io),
    {
      method: "POST",
      path: "/_sealpost/verify-trail",
      body: { anchors: anchors as unknown as Json },
    },
    io.now(),
  );
  return answer as unknown as VerifyReport;
}

async function checkStopped(
  folder: string,
  anchors: readonly AnchoredHead[],
  io: CliIo,
): Promise<VerifyReport> {
  if (!existsSync(join(folder, "sealpost.db"))) {
    throw new CliError(`there is no data folder at ${folder}`);
  }
  const settings = readSettings({
    flags: { data: folder },
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
  });
  const { verifyStopped } = await import("../assembly/verify-stopped.ts");
  try {
    return await verifyStopped(settings, anchors, io.now);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CliError(error.message, { cause: error });
  }
}

/** The report of one trail, by name or ARN. Throws CliError if there is none. */
function chosen(report: VerifyReport, trail: string | undefined): VerifyReport {
  if (trail === undefined) return report;
  const trails = report.trails.filter(
    ({ trailArn }) => trailArn === trail || trailArn.endsWith(`:trail/${trail}`),
  );
  if (trails.length === 0) throw new CliError(`no trail ${trail} has delivered anything`);
  const sound = trails.every((one) => one.failures.length + one.damagedBatches.length === 0);
  const history = report.history.every(({ failures }) => failures.length === 0);
  return { ...report, trails, valid: sound && history };
}

function reportText({ valid, history, trails }: VerifyReport): string {
  const lines = [...history.flatMap(historyLines), ...trails.flatMap(trailLines)];
  return [...lines, valid ? "Everything is as it was written." : "INVALID", ""].join("\n");
}

function historyLines({ accountId, region, events, failures }: HistoryReport): string[] {
  const name = `Event history\t${accountId} ${region}`;
  const bad = failures.map(
    ({ number, eventId, reason }) =>
      `${name}\tINVALID: event ${number}${eventId === undefined ? "" : ` (${eventId})`}: ${reason}`,
  );
  return bad.length > 0 ? bad : [`${name}\t${events} events, valid`];
}

/** AWS: the words of `aws cloudtrail validate-logs`. */
function trailLines(trail: TrailReport): string[] {
  const lines = trail.failures.map(
    ({ kind, bucket, key, reason }) =>
      `${kind === "log" ? "Log" : "Digest"} file\ts3://${bucket}/${key}\tINVALID: ${reason}`,
  );
  for (const number of trail.damagedBatches) {
    lines.push(`Waiting batch ${number}\t${trail.trailArn}\tINVALID: changed or removed`);
  }
  const { digests, logFiles, notCovered } = trail;
  lines.push(`Trail\t${trail.trailArn}`);
  lines.push(`  ${digests.valid}/${digests.valid + digests.invalid} digest files valid`);
  lines.push(`  ${logFiles.valid}/${logFiles.valid + logFiles.invalid} log files valid`);
  if (notCovered > 0) lines.push(`  ${notCovered} log files are in no valid digest`);
  return lines;
}
