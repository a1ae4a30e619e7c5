import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Vectors of project Wycheproof (https://github.com/C2SP/wycheproof, Apache-2.0), read from a
 * checkout that SEALPOST_WYCHEPROOF names. They are not kept here: several megabytes that others
 * maintain. What they attack is built anew, from the mathematics, in `hostile-*` beside this file.
 */
const folder = process.env.SEALPOST_WYCHEPROOF ?? "";

/** For the option `skip` of a test. */
export const withoutVectors =
  folder === "" ? "SEALPOST_WYCHEPROOF names no checkout of C2SP/wycheproof" : false;

export type Verdict = "valid" | "invalid" | "acceptable";

/** One case; which members a file has depends on its algorithm. All are hex but for the texts. */
export interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: Verdict;
  readonly [member: string]: unknown;
}

export interface VectorGroup {
  readonly tests: readonly Vector[];
  readonly [member: string]: unknown;
}

export function vectorGroups(name: string): readonly VectorGroup[] {
  const path = join(folder, "testvectors_v1", `${name}_test.json`);
  if (!existsSync(path)) throw new Error(`${path} is not there: is that a checkout?`);
  const { testGroups } = JSON.parse(readFileSync(path, "utf8"));
  return testGroups;
}

/** A member in hex as bytes. */
export function bytes(from: VectorGroup | Vector, member: string): Buffer {
  const text = from[member];
  if (typeof text !== "string") throw new Error(`a vector has the member ${member}`);
  return Buffer.from(text, "hex");
}

export function textOf(from: VectorGroup | Vector, member: string): string {
  return String(from[member]);
}

/** Names a case where it fails. */
export function named(name: string, { tcId, result, comment, flags }: Vector): string {
  return `${name} ${tcId} (${result}: ${comment}) ${flags.join(" ")}`;
}
