/**
 * Load generator: raw keep-alive connections, each with one request under way. Started as its own
 * process with a plan as JSON on its standard input; prints what it measured as JSON.
 */
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { takeAnswer } from "./answers.ts";
import { treeCpuSeconds } from "./processes.ts";
import { type Conversation, createSigner, type Plan } from "./requests.ts";

const plan: Plan = JSON.parse(readFileSync(0, "utf8"));
const signer = createSigner(plan);
const latencies: number[] = [];
const lags: number[] = [];
const answers = plan.work.kind === "turns" && plan.work.keep ? ([] as string[]) : undefined;
const count = { completed: 0, messages: 0, failed: 0, empty: 0 };
let firstFailure = "";
let counting = false;
let running = true;
let finish: () => void = () => undefined;

interface Connection {
  readonly socket: net.Socket;
  readonly conversation: Conversation;
  pending: Buffer;
  sinceMs: number;
}

/** Open loop: when requests became due that found no free connection, and those that are free. */
const due: number[] = [];
const free: Connection[] = [];
let working = 0;

const connections = Array.from({ length: plan.connections }, connect);
if (plan.warmUpMs === 0) begin();
else setTimeout(begin, plan.warmUpMs);
if (plan.ratePerSecond) beat(plan.ratePerSecond);

function begin(): void {
  counting = true;
  const cpu = process.cpuUsage();
  const serverSeconds = treeCpuSeconds(plan.pid);
  const start = performance.now();
  finish = () => {
    if (!running) return;
    running = false;
    const seconds = (performance.now() - start) / 1000;
    const serverCpuSeconds = treeCpuSeconds(plan.pid) - serverSeconds;
    const used = process.cpuUsage(cpu);
    const at = percentiles(latencies);
    const report = {
      seconds,
      ...count,
      firstFailure,
      cpuSeconds: (used.user + used.system) / 1e6,
      serverCpuSeconds,
      p50Ms: at(0.5),
      p90Ms: at(0.9),
      p99Ms: at(0.99),
      maxMs: at(1),
      lagP99Ms: percentiles(lags)(0.99),
      answers,
    };
    process.stdout.write(JSON.stringify(report), () => process.exit(0));
    for (const { socket } of connections) socket.destroy();
  };
  setTimeout(finish, plan.measureMs);
}

function percentiles(values: number[]): (share: number) => number {
  values.sort((a, b) => a - b);
  return (share) => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

function connect(): Connection {
  const options = { host: plan.host, port: plan.port };
  const socket = plan.ca
    ? tls.connect({ ...options, ca: plan.ca, servername: "localhost" })
    : net.connect(options);
  socket.setNoDelay(true);
  const conversation = signer.conversation();
  const connection: Connection = { socket, conversation, pending: Buffer.alloc(0), sinceMs: 0 };
  socket.once(plan.ca ? "secureConnect" : "connect", () => {
    working += 1;
    proceed(connection);
  });
  socket.on("error", (error) => broken(error.message));
  socket.on("close", () => broken("the server closed a connection"));
  socket.on("data", (chunk: Buffer) => {
    const bytes =
      connection.pending.length === 0 ? chunk : Buffer.concat([connection.pending, chunk]);
    const answer = takeAnswer(bytes);
    connection.pending = answer ? bytes.subarray(answer.end) : bytes;
    if (!answer) return;
    record(connection, answer.status, answer.body);
    if (running) proceed(connection);
  });
  return connection;
}

function broken(why: string): void {
  if (!running) return;
  count.failed += 1;
  firstFailure ||= why;
}

function record({ conversation, sinceMs }: Connection, status: number, body: Buffer): void {
  const moved = conversation.take(status, body);
  if (!counting || !running) return;
  if (status === 200 && !partlyFailed(body)) {
    count.completed += 1;
    count.messages += moved;
    answers?.push(body.toString());
  } else {
    count.failed += 1;
    firstFailure ||= `${status} ${body.toString().slice(0, 300)}`;
  }
  if (conversation.foundNothing) count.empty += 1;
  latencies.push(performance.now() - sinceMs);
}

/** An answer to a batch is 200 also where entries failed. */
function partlyFailed(body: Buffer): boolean {
  return body.includes('"Failed":[{') || body.includes("<BatchResultErrorEntry>");
}

function proceed(connection: Connection): void {
  const sinceMs = plan.ratePerSecond ? due.shift() : performance.now();
  if (sinceMs === undefined) free.push(connection);
  else send(connection, sinceMs);
}

function send(connection: Connection, sinceMs: number): void {
  const bytes = connection.conversation.next();
  if (bytes === undefined) {
    working -= 1;
    if (working === 0) finish();
    return;
  }
  connection.sinceMs = sinceMs;
  connection.socket.write(bytes);
}

/**
 * Every millisecond the requests that became due meanwhile. Their time counts from here, also while
 * all connections are taken: a slow server does not slow the clock. That this process woke late is
 * not the server's doing and is told apart, as lag.
 */
function beat(ratePerSecond: number): void {
  const startMs = performance.now();
  let made = 0;
  setInterval(() => {
    const nowMs = performance.now();
    const wanted = Math.floor(((nowMs - startMs) / 1000) * ratePerSecond);
    if (counting && made < wanted) lags.push(nowMs - startMs - (made / ratePerSecond) * 1000);
    for (; made < wanted; made += 1) {
      const connection = free.pop();
      if (connection) send(connection, nowMs);
      else due.push(nowMs);
    }
  }, 1);
}
