/**
 * `node bench/kms.ts [--short] [--keys N] [--data DIR]`: GenerateDataKey, Encrypt and Decrypt as a
 * ratio to a bare node:https server, signed, over HTTPS, each with its audit record on disk before
 * the answer. Two servers take turns: one with 10 keys, one with N (100,000; 2,000 with --short);
 * each is asked for one key again and again, and for its keys in turn (10,000 of them at most). DIR
 * keeps the many keys for the next run; `--seed` makes them and measures nothing.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { KMS } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { startFloors } from "./floors.ts";
import { type LoadTarget, measureAll, median, type Slice } from "./measure.ts";
import { targetTable } from "./report/table.ts";
import { kms as kmsRequest, type RequestSpec, type Work } from "./requests.ts";
import { seedKeys } from "./seed-keys.ts";
import { type BenchServer, startServer } from "./server.ts";

const { values: asked } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    seed: { type: "boolean", default: false },
    keys: { type: "string" },
    data: { type: "string" },
  },
});
const manyKeys = Number(asked.keys ?? (asked.short ? 2_000 : 100_000));
const rounds = asked.short ? 3 : 5;
const timing = { warmUpMs: 500, measureMs: asked.short ? 1_000 : 2_000 };
const clientsAtOnce = 48;
const inTurnMax = 10_000;
const region = "us-east-1";

const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-"));
try {
  const many = await openServer(asked.data ?? join(folder, "many"), manyKeys);
  if (asked.seed) await many.server.stop();
  else await measure(many);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface SeededServer {
  readonly server: BenchServer;
  readonly kms: KMS;
  readonly keyIds: readonly string[];
}

async function measure(many: SeededServer): Promise<void> {
  const few = await openServer(join(folder, "few"), 10);
  const floors = await startFloors(folder);
  try {
    const targets = [...floors.targets.filter(({ name }) => name.endsWith("https"))];
    const onMany = await targetsFor(many);
    const pairs = (await targetsFor(few)).flatMap((target, index) => {
      const other = onMany[index];
      return other ? [[target, other] as const] : [];
    });
    targets.push(...pairs.flat());
    const slices = await measureAll(targets, rounds, timing);
    console.log(targetTable(slices));
    for (const [target, other] of pairs) {
      const share = shareOf(slices.get(other) ?? [], slices.get(target) ?? []);
      console.log(`${other.name}: ${share.toFixed(2)} of ${target.name}`);
    }
    for (const { server, keyIds } of [few, many]) {
      console.log(`${keyIds.length} keys: ${residentMegabytes(server.pid)} MB resident`);
    }
  } finally {
    floors.stop();
    await Promise.all([few.server.stop(), many.server.stop()]);
  }
}

/** A server on this folder with so many keys; what is missing is made. */
async function openServer(dataFolder: string, count: number): Promise<SeededServer> {
  mkdirSync(dataFolder, { recursive: true });
  const list = join(dataFolder, "bench-keys.json");
  const keyIds: string[] = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
  if (keyIds.length < count) {
    const first = await startServer(dataFolder);
    const { KeyMetadata: key } = await clientFor(first).createKey({});
    await first.stop();
    const scope = { accountId: key?.AWSAccountId ?? "", region };
    keyIds.push(key?.KeyId ?? "");
    keyIds.push(...(await seedKeys(dataFolder, scope, count - keyIds.length)));
    writeFileSync(list, JSON.stringify(keyIds));
  }
  const server = await startServer(dataFolder);
  console.log(`${keyIds.length} keys: ready after ${server.readySeconds.toFixed(1)} s`);
  return { server, kms: clientFor(server), keyIds };
}

function clientFor({ accessKeyId, secretAccessKey, ca, httpsUrl }: BenchServer): KMS {
  const httpsAgent = new Agent({ ca, keepAlive: true, maxSockets: clientsAtOnce });
  return new KMS({
    endpoint: httpsUrl,
    region,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  });
}

/** Requests for each request of another target in the same round, median of the rounds. */
function shareOf(slices: readonly Slice[], others: readonly Slice[]): number {
  const rate = (slice: Slice | undefined) => (slice ? slice.completed / slice.seconds : 0);
  return median(slices.map((slice, round) => rate(slice) / rate(others[round])));
}

function residentMegabytes(pid: number): string {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return ((pages * 4096) / 1e6).toFixed(0);
}

async function targetsFor({ server, kms, keyIds }: SeededServer): Promise<LoadTarget[]> {
  const inTurn = keyIds.slice(0, inTurnMax);
  const one = await operationsOn(kms, inTurn.slice(0, 1));
  const all = await operationsOn(kms, inTurn);
  return [
    ...Object.entries(one).map(([operation, [request]]) => ({
      name: `${operation}, one of ${keyIds.length} keys`,
      work: { kind: "fixed", messagesEach: 1, request } as Work,
    })),
    ...Object.entries(all).map(([operation, requests]) => ({
      name: `${operation}, ${inTurn.length} of ${keyIds.length} keys`,
      work: { kind: "turns", requests } as Work,
    })),
  ].map((target) => ({
    ...target,
    pid: server.pid,
    port: Number(new URL(server.httpsUrl).port),
    ca: server.ca,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
  }));
}

async function operationsOn(
  kms: KMS,
  keyIds: readonly string[],
): Promise<Record<"GenerateDataKey" | "Encrypt" | "Decrypt", readonly RequestSpec[]>> {
  const Plaintext = Buffer.alloc(32, 7);
  const blobs: string[] = [];
  const left = [...keyIds];
  const sealer = async (): Promise<void> => {
    for (let KeyId = left.pop(); KeyId !== undefined; KeyId = left.pop()) {
      const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
      blobs.push(Buffer.from(CiphertextBlob ?? []).toString("base64"));
    }
  };
  await Promise.all(Array.from({ length: clientsAtOnce }, sealer));
  const text = Plaintext.toString("base64");
  return {
    GenerateDataKey: keyIds.map((KeyId) =>
      kmsRequest("GenerateDataKey", { KeyId, KeySpec: "AES_256" }),
    ),
    Encrypt: keyIds.map((KeyId) => kmsRequest("Encrypt", { KeyId, Plaintext: text })),
    Decrypt: blobs.map((CiphertextBlob) => kmsRequest("Decrypt", { CiphertextBlob })),
  };
}
