import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Vectors of NIST's validation programme (CAVP), read from a checkout of their mirror
 * https://github.com/coruus/nist-testvectors that SEALPOST_NIST_VECTORS names. They are not kept
 * here: tens of megabytes. Some of their numbers stand in other tests, which always run.
 */
const folder = process.env.SEALPOST_NIST_VECTORS ?? "";

/** For the option `skip` of a test. */
export const withoutNist =
  folder === "" ? "SEALPOST_NIST_VECTORS names no checkout of coruus/nist-testvectors" : false;

const documents = "csrc.nist.gov/groups/STM/cavp/documents";

/** One case: the members of its section and its own. A line `FAIL` is the member `FAIL`. */
export interface Case {
  readonly file: string;
  readonly line: number;
  readonly members: Readonly<Record<string, string>>;
}

/**
 * The cases of a file. `wanted`: members that make a block a case; those of other blocks (a modulus
 * for several signatures) hold for the cases that follow.
 */
export function casesOf(file: string, ...wanted: readonly string[]): readonly Case[] {
  const path = join(folder, documents, file);
  if (!existsSync(path)) throw new Error(`${path} is not there: is that a checkout?`);
  const cases: Case[] = [];
  let section: Record<string, string> = {};
  let carried: Record<string, string> = {};
  let block: Record<string, string> = {};
  let inHead = false;
  const end = (line: number): void => {
    const isCase = wanted.every((member) => Object.hasOwn(block, member));
    if (isCase) cases.push({ file, line, members: { ...section, ...carried, ...block } });
    else carried = { ...carried, ...block };
    block = {};
  };
  for (const [index, text] of readFileSync(path, "utf8").split(/\r?\n/).entries()) {
    const header = /^\[(.*)\]$/.exec(text);
    const member = /^([A-Za-z][\w ]*?)\s*=\s*(.*)$/.exec(header?.[1] ?? text);
    if (header) {
      if (!inHead) [section, carried] = [{}, {}];
      section[member?.[1] ?? "title"] = member?.[2] ?? header[1] ?? "";
    } else if (member) block[member[1] ?? ""] = member[2] ?? "";
    else if (text === "FAIL") block.FAIL = "";
    else if (text.trim() === "" && Object.keys(block).length > 0) end(index);
    inHead = header !== null || (inHead && text.trim() === "");
  }
  end(0);
  return cases;
}

export function hexOf({ members, file, line }: Case, member: string): Buffer {
  const text = members[member];
  if (text === undefined) throw new Error(`${file}:${line} has no ${member}`);
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, "hex");
}

/** Names a case where it fails. */
export function placeOf({ file, line, members }: Case): string {
  return `${file}, before line ${line + 1} ${members.Result ?? ""}`;
}
