/**
 * Floors that are no servers: a function, again and again, in a process of its own. Started with a
 * plan as JSON on its standard input; prints what it measured as JSON.
 */
import { execFileSync } from "node:child_process";
import { createCipheriv, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { sealBody } from "../src/crypto/envelope.ts";
import { silentLog } from "../src/kernel/log.ts";
import { giveBack } from "../src/kernel/memory.ts";
import { openSqliteStore } from "../src/stores/sqlite/open.ts";
import type { Loaded } from "./requests.ts";
import { commitOne, insertOf, keepGoing, putDataKey } from "./store-load.ts";

interface ProbePlan {
  readonly probe: string;
  readonly folder: string;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const kib = 1024;
const key = randomBytes(32);
const arn = "arn:aws:sqs:us-east-1:123456789012:bench";

/** Each prepares, and answers what is measured: so many acts at once, and their clean-up. */
const loops: Readonly<Record<string, (folder: string) => Loop>> = {
  fsync: appendAndSync,
  "rsa-2048": () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const text = randomBytes(kib);
    return { atOnce: 1, act: () => void sign("sha256", text, privateKey) };
  },
  "cipher-1k": () => cipherLoop(kib, 100),
  "cipher-256k": () => cipherLoop(256 * kib, 1),
  "envelope-1k": () => envelopeLoop(kib, 100),
  "envelope-256k": () => envelopeLoop(256 * kib, 1),
};

interface Loop {
  readonly atOnce: number;
  act(): void;
  end?(): void;
}

function cipherLoop(size: number, atOnce: number): Loop {
  const body = randomBytes(size);
  const nonce = randomBytes(12);
  return {
    atOnce,
    act() {
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.update(body);
      cipher.final();
      cipher.getAuthTag();
    },
  };
}

/** As a send: the envelope's memory is given back once it is stored. */
function envelopeLoop(size: number, atOnce: number): Loop {
  const body = randomBytes(size);
  return { atOnce, act: () => giveBack(sealBody(key, "d7".repeat(16), arn, body).bytes) };
}

/** As a write-ahead log is written: pages one after the other, from the front after 1,000. */
function appendAndSync(folder: string): Loop {
  const file = openSync(join(folder, "fsync"), "w");
  const page = randomBytes(4096);
  let at = 0;
  const act = (): void => {
    writeSync(file, page, 0, page.length, at * page.length);
    fdatasyncSync(file);
    at = (at + 1) % 1000;
  };
  for (let warm = 0; warm < 1000; warm += 1) {
    writeSync(file, page, 0, page.length, warm * page.length);
  }
  fdatasyncSync(file);
  return { atOnce: 1, act, end: () => closeSync(file) };
}

function measureLoop({ atOnce, act, end }: Loop, { warmUpMs, measureMs }: ProbePlan): Loaded {
  const latencies: number[] = [];
  const run = (milliseconds: number): number => {
    const start = performance.now();
    const endMs = start + milliseconds;
    for (let last = start; last < endMs; ) {
      for (let time = 0; time < atOnce; time += 1) act();
      const now = performance.now();
      latencies.push((now - last) / atOnce);
      last = now;
    }
    return (performance.now() - start) / 1000;
  };
  run(warmUpMs);
  latencies.length = 0;
  const cpu = process.cpuUsage();
  const seconds = run(measureMs);
  const used = process.cpuUsage(cpu);
  end?.();
  return loaded(latencies.length * atOnce, seconds, used, latencies);
}

function loaded(
  completed: number,
  seconds: number,
  used: NodeJS.CpuUsage,
  latencies: number[],
): Loaded {
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    completed,
    messages: completed,
    failed: 0,
    firstFailure: "",
    empty: 0,
    seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    maxMs: at(1),
    lagP99Ms: 0,
  };
}

/** The store alone, without server: durable inserts, 64 under way, of so many messages each. */
async function measureStore(messagesEach: number, plan: ProbePlan): Promise<Loaded> {
  const store = await openSqliteStore({ path: join(plan.folder, "store.db"), log: silentLog });
  try {
    await commitOne(store, putDataKey);
    const act = async () => {
      await commitOne(store, insertOf(messagesEach, Date.now()));
      return messagesEach;
    };
    await keepGoing(plan.warmUpMs, 64, act);
    const cpu = process.cpuUsage();
    const { done, seconds } = await keepGoing(plan.measureMs, 64, act);
    return loaded(done, seconds, process.cpuUsage(cpu), []);
  } finally {
    await store.close();
  }
}

/** What OpenSSL's own program reaches: bytes in a second, told as bodies of 256 KiB. */
function measureOpenssl({ measureMs }: ProbePlan): Loaded {
  const size = 256 * kib;
  const seconds = Math.max(1, Math.round(measureMs / 1000));
  const flags = `speed -evp aes-256-gcm -bytes ${size} -seconds ${seconds} -mr`.split(" ");
  const told = execFileSync("openssl", flags, { encoding: "utf8", stdio: "pipe" });
  const bytesPerSecond = Number(/^\+F:.*:([\d.]+)$/m.exec(told)?.[1] ?? 0);
  const microseconds = seconds * 1e6;
  return loaded(
    Math.round((bytesPerSecond / size) * seconds),
    seconds,
    { user: microseconds, system: 0 },
    [],
  );
}

async function measure(plan: ProbePlan): Promise<Loaded> {
  if (plan.probe === "store-insert-1") return measureStore(1, plan);
  if (plan.probe === "store-insert-10") return measureStore(10, plan);
  if (plan.probe === "openssl-256k") return measureOpenssl(plan);
  const loop = loops[plan.probe];
  if (!loop) throw new Error(`there is no probe ${plan.probe}`);
  return measureLoop(loop(plan.folder), plan);
}

const plan: ProbePlan = JSON.parse(readFileSync(0, "utf8"));
const folder = mkdtempSync(join(plan.folder, "probe-"));
try {
  process.stdout.write(JSON.stringify(await measure({ ...plan, folder })));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
