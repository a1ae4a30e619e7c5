/**
 * `node bench/kms.ts [--short] [--keys N]`: GenerateDataKey, Encrypt and Decrypt as a ratio to a bare
 * node:https server, signed, over HTTPS, each with its audit record on disk before the answer; with
 * 10 keys and again with N (100,000; 10,000 with --short).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KMS } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { startFloors } from "./floors.ts";
import { measureAll, type Target } from "./measure.ts";
import { report } from "./report.ts";
import { type BenchServer, startServer } from "./server.ts";

const short = process.argv.includes("--short");
const keysAt = process.argv.indexOf("--keys");
const manyKeys = keysAt > 0 ? Number(process.argv[keysAt + 1]) : short ? 10_000 : 100_000;
const rounds = short ? 3 : 5;
const timing = { warmUpMs: 500, measureMs: short ? 1_500 : 3_000 };
const makersAtOnce = 48;

const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-"));
try {
  const server = await startServer(join(folder, "data"));
  const floors = await startFloors(folder);
  const kms = clientFor(server);
  try {
    const keyIds = await makeKeys(kms, 10);
    const before = await targetsFor(server, kms, keyIds, "10 keys");
    console.log(report(await measureAll([...floors.targets, ...before], rounds, timing)));
    const startMs = performance.now();
    await makeKeys(kms, manyKeys - 10);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    console.log(`made ${manyKeys - 10} more keys in ${seconds} s`);
    const after = await targetsFor(server, kms, keyIds, `${manyKeys} keys`);
    console.log(report(await measureAll([...floors.targets, ...after], rounds, timing)));
  } finally {
    floors.stop();
    await server.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function clientFor(server: BenchServer): KMS {
  const { accessKeyId, secretAccessKey } = server;
  const httpsAgent = new Agent({ ca: server.ca, keepAlive: true, maxSockets: makersAtOnce });
  return new KMS({
    endpoint: server.httpsUrl,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  });
}

async function makeKeys(kms: KMS, count: number): Promise<string[]> {
  const made: string[] = [];
  let left = count;
  const maker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { KeyMetadata } = await kms.createKey({});
      made.push(KeyMetadata?.KeyId ?? "");
    }
  };
  await Promise.all(Array.from({ length: makersAtOnce }, maker));
  return made;
}

async function targetsFor(
  server: BenchServer,
  kms: KMS,
  keyIds: readonly string[],
  label: string,
): Promise<Target[]> {
  const [KeyId = ""] = keyIds;
  const Plaintext = Buffer.alloc(32, 7);
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
  const blob = Buffer.from(CiphertextBlob ?? []).toString("base64");
  const bodies = {
    GenerateDataKey: { KeyId, KeySpec: "AES_256" },
    Encrypt: { KeyId, Plaintext: Plaintext.toString("base64") },
    Decrypt: { CiphertextBlob: blob },
  };
  return Object.entries(bodies).map(([operation, body]) => ({
    name: `${operation}, ${label}`,
    pid: server.pid,
    port: Number(new URL(server.httpsUrl).port),
    ca: server.ca,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
    work: {
      kind: "fixed",
      messagesEach: 1,
      request: {
        service: "kms",
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `TrentService.${operation}`,
        },
        body: JSON.stringify(body),
      },
    },
  }));
}
