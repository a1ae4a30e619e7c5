/**
 * Whether a backlog slows the whole server down: sends, and receives with their deletions, over
 * HTTPS on an encrypted queue of so many messages of 1 KiB, as a share of an empty server's; the
 * memory; and the time from the start to ready and to the first message.
 *
 * `node bench/backlog-server.ts [messages] [rounds]` (goals: 0.9, 400 MB, 2 s)
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillQueue } from "./growth-seed.ts";
import { type LoadTarget, measureAll, median, type Slice } from "./measure.ts";
import { treeResidentBytes } from "./processes.ts";
import { sqs, type Work } from "./requests.ts";
import { type BenchServer, startServer } from "./server.ts";
import { clientsOf, createSome } from "./setup.ts";
import { placeOf, sendTen } from "./workloads.ts";

const messages = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 9);
const folder = mkdtempSync(join(tmpdir(), "sealpost-backlog-server-"));
const timing = { warmUpMs: 500, measureMs: 1_500 };

function targetsOf(server: BenchServer, queueUrl: string): readonly LoadTarget[] {
  const place = placeOf(server, "https");
  const send = sqs("SendMessage", { QueueUrl: queueUrl, MessageBody: "x".repeat(1024) });
  const works: readonly (readonly [name: string, work: Work, fill?: Work])[] = [
    ["SendMessage", { kind: "fixed", request: send, messagesEach: 1 }],
    ["Receive 10 + DeleteBatch", { kind: "drain", queueUrl }, sendTen(queueUrl)],
  ];
  return works.map(([name, work, fill]) => ({ name, ...place, work, fill, generator: "own" }));
}

/** The share of the empty server in each round, by time and by the server's CPU. */
function compare(name: string, empty: readonly Slice[], deep: readonly Slice[]): void {
  const rate = ({ messages: moved, seconds }: Slice) => moved / seconds;
  const perCpuSecond = ({ messages: moved, serverCpuSeconds }: Slice) => moved / serverCpuSeconds;
  const share = (measure: (slice: Slice) => number) =>
    median(deep.map((slice, round) => measure(slice) / measure(empty[round] ?? slice))).toFixed(2);
  const failed = [...empty, ...deep].reduce((sum, slice) => sum + slice.failed, 0);
  console.log(
    `${name}: ${Math.round(median(deep.map(rate)))} messages/s, ${share(rate)} of empty; ` +
      `by CPU ${share(perCpuSecond)}; ${failed} failed`,
  );
}

function showMemory(when: string, { pid }: BenchServer): void {
  const [server = 0, ...others] = treeResidentBytes(pid).map((bytes) => Math.round(bytes / 1e6));
  console.log(`${when}: RSS ${server} MB, and ${others.join(" + ")} MB of its processes`);
}

const servers: BenchServer[] = [];
async function start(name: string): Promise<BenchServer> {
  const server = await startServer(join(folder, name));
  servers.push(server);
  return server;
}

try {
  const empty = await start("empty");
  const deep = await start("deep");
  const queueOf = (server: BenchServer) => createSome(clientsOf(server), "SSE-KMS", []);
  const shallow = await queueOf(empty);
  const { queueUrl } = await queueOf(deep);
  await fillQueue(deep, queueUrl, messages);
  showMemory(`${messages} messages`, deep);
  const pairs = targetsOf(empty, shallow.queueUrl).map(
    (target, index) => [target, targetsOf(deep, queueUrl)[index] ?? target] as const,
  );
  const slices = await measureAll(pairs.flat(), rounds, timing);
  for (const [of, on] of pairs) compare(of.name, slices.get(of) ?? [], slices.get(on) ?? []);
  showMemory("under load", deep);
  await deep.stop();
  const again = await start("deep");
  const before = performance.now();
  const { Messages = [] } = await clientsOf(again).sqs.receiveMessage({ QueueUrl: queueUrl });
  const firstMs = Math.round(performance.now() - before);
  console.log(
    `restart: ready after ${again.readySeconds.toFixed(2)} s, ` +
      `${Messages.length} message ${firstMs} ms later`,
  );
  showMemory("after the restart", again);
} finally {
  for (const server of servers) if (server.child.exitCode === null) await server.stop();
  rmSync(folder, { recursive: true });
}
