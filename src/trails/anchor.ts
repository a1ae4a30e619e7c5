import { open } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { EpochMs } from "../kernel/clock.ts";
import type { ChainHead } from "../services/cloudtrail/store.ts";
import type { AnchoredHead } from "./history.ts";

/** Writes heads to a place outside. Rejects if it cannot. */
export type WriteAnchor = (heads: readonly ChainHead[]) => Promise<void>;

/**
 * `target`: a file, which grows by a line for each head, or an http(s) address that is posted to.
 */
export function anchorTo(target: string, now: () => EpochMs): WriteAnchor {
  const lines = (heads: readonly ChainHead[]) => heads.map((head) => anchorLine(head, now()));
  if (/^https?:\/\//.test(target)) {
    return (heads) => post(new URL(target), lines(heads).join(""));
  }
  return (heads) => append(target, lines(heads).join(""));
}

/** One head as a line of JSON. */
function anchorLine({ accountId, region, number, hash }: ChainHead, nowMs: EpochMs): string {
  const head = {
    time: new Date(nowMs).toISOString(),
    accountId,
    region,
    number,
    hash: Buffer.from(hash).toString("hex"),
  };
  return `${JSON.stringify(head)}\n`;
}

/**
 * The furthest head of each history in an anchor file, as it was first written: a history that went
 * back writes its numbers again. Throws Error for a line that is none.
 */
export function readAnchor(text: string): readonly AnchoredHead[] {
  const newest = new Map<string, AnchoredHead>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const head = parseLine(line);
    if (head === undefined) throw new Error("the anchor holds a line that is no head");
    const name = `${head.accountId}/${head.region}`;
    if (head.number > (newest.get(name)?.number ?? 0)) newest.set(name, head);
  }
  return [...newest.values()];
}

function parseLine(line: string): AnchoredHead | undefined {
  try {
    return anchoredHead(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** A head from outside; undefined if it is none. */
export function anchoredHead(value: unknown): AnchoredHead | undefined {
  const member = (name: string): unknown => Reflect.get(Object(value), name);
  const [accountId, region, hash] = ["accountId", "region", "hash"].map(member);
  const number = member("number");
  if (typeof accountId !== "string" || typeof region !== "string") return undefined;
  if (typeof hash !== "string" || typeof number !== "number") return undefined;
  return { accountId, region, number, hash };
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

const answerMsMax = 10_000;

function post(url: URL, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = url.protocol === "https:" ? https : http;
    const headers = {
      "content-type": "application/x-ndjson",
      "content-length": Buffer.byteLength(body),
    };
    const sent = client.request(url, { method: "POST", headers, timeout: answerMsMax });
    sent.on("timeout", () => sent.destroy(new Error("the anchor gave no answer in time")));
    sent.on("error", reject);
    sent.on("response", (response) => {
      response.resume();
      response.on("error", reject);
      const { statusCode = 0 } = response;
      response.on("end", () => {
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`the anchor answered ${statusCode}`));
      });
    });
    sent.end(body);
  });
}
