import { parseArgs } from "node:util";
import { wrkIsHere } from "./generators.ts";
import type { Generator } from "./measure.ts";

export interface Options {
  readonly short: boolean;
  readonly only: string | undefined;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly sliceMs: number;
  readonly generator: Generator;
  /** Largest size of the growth curves; 0 leaves them out. */
  readonly growthMax: number;
  readonly folder: string;
}

export const help = `npm run bench -- [options]

How fast Sealpost is, beside bare servers, bare functions and emulators in the same run.
Progress goes to standard error; the table to standard output; bench/results/TIME.json keeps all
that was found, and bench/report.html shows it.

  --short            the main rows, no growth curves, in less than two minutes
  --only TEXT        rows and curves whose name holds the text, and their floors: --only Publish
  --list             print the names of the rows, and measure nothing
  --rounds N         slices of each row (default 5; 3 with --short)
  --slice SECONDS    length of a slice (default 2; 1 with --short)
  --generator NAME   wrk or own (default wrk where it is installed; fixed requests only)
  --growth-max N     largest size of the growth curves (default 1000000; 0 leaves them out)
  --data DIR         where data folders are made (default: the system's temporary folder)
  --report FILE.json draw the report of an earlier run again
  --help             this text
`;

export interface Asked {
  readonly help: boolean;
  readonly list: boolean;
  readonly report: string | undefined;
  readonly options: Options;
}

/** Throws with a text for the user if a flag is not understood. */
export function readOptions(args: readonly string[], folder: string): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
      slice: { type: "string" },
      generator: { type: "string" },
      "growth-max": { type: "string" },
      data: { type: "string" },
      report: { type: "string" },
    },
  });
  const { short } = values;
  const sliceMs = 1000 * count("--slice", values.slice ?? (short ? "1" : "2"));
  const options: Options = {
    short,
    only: values.only,
    rounds: count("--rounds", values.rounds ?? (short ? "3" : "5")),
    warmUpMs: short ? 300 : 1_000,
    sliceMs,
    generator: generatorOf(values.generator),
    growthMax: count("--growth-max", values["growth-max"] ?? (short ? "0" : "1000000"), 0),
    folder: values.data ?? folder,
  };
  return { help: values.help, list: values.list, report: values.report, options };
}

function count(flag: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`${flag} takes a whole number of at least ${least}, not ${text}`);
}

function generatorOf(asked: string | undefined): Generator {
  if (asked === undefined) return wrkIsHere() ? "wrk" : "own";
  if (asked === "own") return asked;
  if (asked !== "wrk") throw new Error(`--generator takes wrk or own, not ${asked}`);
  if (!wrkIsHere()) throw new Error("--generator wrk: there is no wrk (Debian: apt install wrk)");
  return asked;
}
