import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import type { CliIo } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/main.ts";
import type { TestServer } from "../harness/server.ts";

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line in this process, as a person runs it beside the server. */
export async function sealpost(argv: readonly string[]): Promise<CliRun> {
  let out = "";
  let err = "";
  const io: CliIo = {
    environment: {},
    workingDirectory: "/",
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    now: () => Date.now(),
    onStopSignal: () => () => {},
    exit: () => {},
    isAlive: () => true,
  };
  const nothing = async (): Promise<never> => {
    throw new Error("not in this test");
  };
  const code = await runCli(argv, io, { version: "0", loadStart: nothing, demo: nothing });
  return { code, out, err };
}

type Served = Pick<TestServer, "dataFolder">;

export function cat({ dataFolder }: Served, paths: readonly string[]): Promise<CliRun> {
  return sealpost(["trail", "cat", "--data", dataFolder, ...paths]);
}

export function verify({ dataFolder }: Served, ...flags: readonly string[]): Promise<CliRun> {
  return sealpost(["verify-trail", "--data", dataFolder, ...flags]);
}

/** Keys of a trail's files in the data folder, in order. */
export function filesOf({ dataFolder }: Served, trail: string): string[] {
  const root = join(dataFolder, "trails", trail);
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort();
  } catch {
    return [];
  }
}

export interface TrailRecordJson {
  readonly eventName: string;
  readonly eventSource: string;
  readonly eventID: string;
  readonly eventCategory: string;
  readonly requestParameters: { readonly [name: string]: unknown } | null;
}

/** All records that a trail delivered, in the order of its files, but for acts of the operator. */
export async function recordsOf(server: Served, trail: string): Promise<TrailRecordJson[]> {
  const records: TrailRecordJson[] = [];
  for (const file of filesOf(server, trail)) {
    if (file.includes("CloudTrail-Digest")) continue;
    const { out } = await cat(server, [join(server.dataFolder, "trails", trail, file)]);
    records.push(...(JSON.parse(out) as { Records: TrailRecordJson[] }).Records);
  }
  return records.filter(({ eventSource }) => !eventSource.startsWith("sealpost"));
}
