import { createHmac, timingSafeEqual } from "node:crypto";
import { writeSync } from "node:fs";
import { blobIdentityBytes, readBlobIdentity } from "../crypto/blob.ts";
import { labels } from "../crypto/constants.ts";
import { deriveKey } from "../crypto/derive.ts";
import { presentRingKey, type RingKey } from "../crypto/keyring.ts";
import { publicKeyFingerprint } from "../crypto/wrap.ts";
import { operations, textField } from "./protocol.ts";

/*
 * The key process's own log of what was done with which material, one line of JSON per second of
 * use, or for every 2,000 kinds of use: {"number","at","uses":[[operation, account, key, material, count], …],"mac"}. Each line's MAC
 * covers the one before it, under a key that never leaves this process: the server can neither
 * forge a line nor take one out of the middle unseen. (It can cut off the end; so can whoever
 * writes the disk.)
 */
const flushMs = 1000;
/** Kinds of use in a line, of some 150 bytes each: a reader of the last line looks only so far. */
const kindsMax = 2000;
/** Kinds that are remembered from line to line, some 400 bytes each. */
const knownMax = 20_000;
/** Until the first line. */
const noMac = "0".repeat(64);

/** Operations that use material, by the names that the log gives them. */
const names: ReadonlyMap<number, string> = new Map([
  [operations.createMaterial, "create"],
  [operations.encrypt, "encrypt"],
  [operations.decrypt, "decrypt"],
  [operations.reEncrypt, "re-encrypt"],
  [operations.generateDataKey, "data-key"],
  [operations.generateKeyPair, "key-pair"],
  [operations.sign, "sign"],
  [operations.verify, "verify"],
  [operations.mac, "mac"],
  [operations.verifyMac, "verify-mac"],
  [operations.agree, "agree"],
  [operations.importParameters, "import-parameters"],
  [operations.importMaterial, "import"],
  [operations.sealBackup, "backup"],
]);
/** Their fields name the key in texts. */
const named = new Set(["create", "import-parameters", "import", "backup"]);

export interface UseLog {
  /** Counts one use; the line is written within a second. */
  count(operation: number, fields: readonly Buffer[]): void;
  /** Writes what was counted. */
  flush(): void;
}

export interface UseLogOptions {
  readonly descriptor: number;
  readonly ring: readonly RingKey[];
  /** The last line that is there; "" for none. */
  readonly lastLine: string;
  readonly nowMs: () => number;
}

/** What is counted as one. */
interface Kind {
  /** Of its entry in a line, as JSON: all but the count. */
  readonly beginning: string;
  /** Since the latest line. */
  count: number;
}

interface Line {
  readonly number: number;
  readonly at: string;
  readonly uses: readonly unknown[];
  readonly mac: string;
}

export function createUseLog({ descriptor, ring, lastLine, nowMs }: UseLogOptions): UseLog {
  const key = logKey(ring);
  const last = lastLine === "" ? undefined : (JSON.parse(lastLine) as Line);
  let number = last?.number ?? 0;
  let previous = last?.mac ?? noMac;
  const known = new Map<string, Kind>();
  let counted: Kind[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (counted.length === 0) return;
    number += 1;
    const at = new Date(nowMs()).toISOString();
    const uses = counted.map(({ beginning, count }) => `${beginning}${count}]`);
    for (const kind of counted) kind.count = 0;
    counted = [];
    if (known.size >= knownMax) known.clear();
    const text = `{"number":${number},"at":"${at}","uses":[${uses.join(",")}]}`;
    previous = lineMac(key, previous, text);
    // As JSON writes the same body with its MAC.
    writeSync(descriptor, `${text.slice(0, -1)},"mac":"${previous}"}\n`);
  };

  return {
    flush,
    count(operation, fields) {
      const name = names.get(operation);
      if (name === undefined) return;
      const use = useOf(operation, name, fields);
      let kind = known.get(use);
      if (kind === undefined) {
        kind = { beginning: beginningOf(use), count: 0 };
        known.set(use, kind);
      }
      if (kind.count === 0) counted.push(kind);
      kind.count += 1;
      timer ??= setTimeout(flush, flushMs).unref();
      if (counted.length >= kindsMax) flush();
    },
  };
}

/** Names a kind: of material its operation and identity as they are, else texts. */
function useOf(operation: number, name: string, fields: readonly Buffer[]): string {
  const [first] = fields;
  if (named.has(name) || first?.length !== blobIdentityBytes) {
    return `${String.fromCharCode(0, operation)}${subjectOf(name, fields).join("|")}`;
  }
  return String.fromCharCode(operation) + first.toString("latin1");
}

function beginningOf(use: string): string {
  return `${JSON.stringify(textsOf(use)).slice(0, -1)},`;
}

/** Operation, account, key and material; of a backup its id and the keys that it is wrapped for. */
function textsOf(use: string): readonly string[] {
  const isText = use.charCodeAt(0) === 0;
  const name = names.get(use.charCodeAt(isText ? 1 : 0)) ?? "";
  if (isText) return [name, ...use.slice(2).split("|")];
  const identity = readBlobIdentity(Buffer.from(use.slice(1), "latin1"));
  return [name, identity?.accountId ?? "", identity?.keyId ?? "", identity?.materialId ?? ""];
}

function subjectOf(name: string, fields: readonly Buffer[]): readonly string[] {
  if (name === "backup") {
    return [textField(fields, 0), fields.slice(1).map(publicKeyFingerprint).join(","), ""];
  }
  return [textField(fields, 0), textField(fields, 1), ""];
}

/** Where a check of the log stands: after which line, and that line's MAC ("" before the first). */
export interface ChainPlace {
  readonly number: number;
  readonly mac: string;
}

/** The place after the lines, or the number of the first that does not follow. */
export function followLines(
  ring: readonly RingKey[],
  place: ChainPlace,
  lines: readonly string[],
): ChainPlace | { readonly brokenLine: number } {
  const keys = ring.filter(({ purpose }) => purpose === "material").map(keyOf);
  let { number, mac: previous } = place.mac === "" ? { number: 0, mac: noMac } : place;
  for (const text of lines) {
    number += 1;
    const mac = macOfLine(keys, previous, number, text);
    if (mac === undefined) return { brokenLine: number };
    previous = mac;
  }
  return { number, mac: previous };
}

/** undefined: the line is not one of ours in this place. */
function macOfLine(
  keys: readonly Buffer[],
  previous: string,
  number: number,
  text: string,
): string | undefined {
  let line: Line;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { mac, ...body } = line;
  if (body.number !== number || typeof mac !== "string") return undefined;
  const content = JSON.stringify(body);
  return keys.some((key) => equal(lineMac(key, previous, content), mac)) ? mac : undefined;
}

/** `body`: the line without its MAC, as JSON. */
function lineMac(key: Buffer, previous: string, body: string): string {
  return createHmac("sha256", key).update(`${previous}\n${body}`).digest("hex");
}

function equal(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function logKey(ring: readonly RingKey[]): Buffer {
  return keyOf(presentRingKey(ring, "material"));
}

function keyOf({ key }: RingKey): Buffer {
  return deriveKey(key, labels.useLog, Buffer.alloc(0));
}
