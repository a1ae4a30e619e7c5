import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, kib, type LoadCase, longerFor, variantName } from "./cases.ts";
import type { LoadTarget } from "./measure.ts";
import { startScript } from "./processes.ts";
import { sqs, type Work } from "./requests.ts";

export interface Floors {
  /** Bare `node:http`, then bare `node:https`, as the workloads ask them by default. */
  readonly targets: readonly LoadTarget[];
  /** A bare server that hashes, writes and fsyncs before it answers. */
  readonly hashing: LoadTarget;
  stop(): void;
}

/** Bare servers with the same requests; their certificate is of the same kind as the product's. */
export async function startFloors(folder: string): Promise<Floors> {
  const files = makeCertificate(folder);
  const children: { kill(signal: "SIGTERM"): boolean }[] = [];
  const start = async (name: string, scheme: string, more: string[]): Promise<LoadTarget> => {
    const args = [scheme, files.key, files.cert, ...more];
    const { child, first } = await startScript<{ port: number }>("floor.ts", args);
    children.push(child);
    return {
      name,
      pid: child.pid ?? 0,
      port: first.port,
      ca: scheme === "https" ? readFileSync(files.cert, "utf8") : undefined,
      accessKeyId: "AKIAFLOOR",
      secretAccessKey: "floor",
      work: sendWork(kib),
    };
  };
  return {
    targets: [
      await start("bare node:http", "http", []),
      await start("bare node:https", "https", []),
    ],
    hashing: await start("hash, write, fsync, https", "https", [join(folder, "bodies")]),
    stop() {
      for (const child of children) child.kill("SIGTERM");
    },
  };
}

function makeCertificate(folder: string): { key: string; cert: string } {
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1";
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", [...make.split(" "), ...subject, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { key, cert };
}

function sendWork(bodyBytes: number): Work {
  const input = {
    QueueUrl: "http://localhost/123456789012/queue",
    MessageBody: "x".repeat(bodyBytes),
  };
  return { kind: "fixed", request: sqs("SendMessage", input), messagesEach: 1 };
}

/** Numbers of connections and sizes that are asked of a server besides 64 and 1 KiB. */
export const otherConnections = [1, 256];
export const otherSizes = [256, 64 * kib, 256 * kib, 1024 * kib];

/** Every floor that is a server. */
export function floorServers({ targets, hashing }: Floors): LoadCase[] {
  return [
    ...targets.flatMap((target) => [
      floorCase(target, 64, kib),
      ...otherConnections.map((connections) => floorCase(target, connections, kib)),
      ...otherSizes.map((size) => floorCase(target, 64, size)),
    ]),
    floorCase(hashing, 64, 256 * kib),
  ];
}

function floorCase(target: LoadTarget, connections: number, bodyBytes: number): LoadCase {
  const name = `${target.name}${variantName(connections, bodyBytes)}`;
  const longer = longerFor(bodyBytes);
  return {
    target: { ...target, name, connections, longer, work: sendWork(bodyBytes) },
    subject: "floor",
    operation: target.name,
    scheme: target.ca ? "https" : "http",
    connections,
    bodyBytes,
    short: connections === 64 && bodyBytes === kib,
  };
}

/** Floors that are functions. The goals ask for them by these names. */
export const probes = {
  fsync: "raw fsync",
  "rsa-2048": "RSA-2048 signature",
  "store-insert-1": "store alone, inserts of 1",
  "store-insert-10": "store alone, inserts of 10",
  "cipher-1k": "createCipheriv, 1 KiB",
  "envelope-1k": "envelope, 1 KiB",
  "cipher-256k": "createCipheriv, 256 KiB",
  "envelope-256k": "envelope, 256 KiB",
  "openssl-256k": "openssl speed, 256 KiB",
} as const;

const inShort = ["fsync", "rsa-2048", "store-insert-10", "cipher-1k", "envelope-1k"];

/** What an envelope is divided by. */
const floorOfProbe: Readonly<Record<string, string>> = {
  "envelope-1k": probes["cipher-1k"],
  "envelope-256k": probes["openssl-256k"],
};

export function floorProbes(folder: string): Case[] {
  return Object.entries(probes).map(([probe, name]) => ({
    target: { name, probe, folder },
    subject: probe.startsWith("envelope") ? "sealpost" : "floor",
    operation: name,
    floor: floorOfProbe[probe],
    short: inShort.includes(probe),
  }));
}
