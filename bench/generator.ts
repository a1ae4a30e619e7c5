/**
 * Load generator: raw keep-alive connections, each with one request under way. Started as its own
 * process with a plan as JSON in argv; prints what it measured as JSON.
 */
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { createSigner, type Plan, type Signer } from "./requests.ts";

const plan: Plan = JSON.parse(readFileSync(0, "utf8"));
const signer: Signer = createSigner(plan);
const latencies: number[] = [];
let completed = 0;
let messages = 0;
let failed = 0;
let firstFailure = "";
let counting = false;
let running = true;

const connections = Array.from({ length: plan.connections }, (_, index) => connect(index));
setTimeout(begin, plan.warmUpMs);

function begin(): void {
  counting = true;
  const cpu = process.cpuUsage();
  const start = performance.now();
  setTimeout(() => {
    running = false;
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    latencies.sort((a, b) => a - b);
    const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
    const report = {
      seconds,
      completed,
      messages,
      failed,
      firstFailure,
      cpuSeconds: (used.user + used.system) / 1e6,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    };
    process.stdout.write(JSON.stringify(report), () => process.exit(0));
    for (const socket of connections) socket.destroy();
  }, plan.measureMs);
}

function connect(index: number): net.Socket {
  const options = { host: plan.host, port: plan.port };
  const socket = plan.ca
    ? tls.connect({ ...options, ca: plan.ca, servername: "localhost" })
    : net.connect(options);
  socket.setNoDelay(true);
  const ready = plan.ca ? "secureConnect" : "connect";
  const conversation = signer.conversation(index);
  let sentAt = 0;
  let pending: Buffer = Buffer.alloc(0);
  const send = (): void => {
    sentAt = performance.now();
    socket.write(conversation.next());
  };
  socket.on(ready, send);
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const answer = takeAnswer(pending);
    if (!answer) return;
    pending = pending.subarray(answer.end);
    const moved = conversation.take(answer.status, answer.body);
    if (counting && running) {
      if (answer.status === 200) completed += 1;
      else {
        failed += 1;
        firstFailure ||= `${answer.status} ${answer.body.toString().slice(0, 200)}`;
      }
      messages += moved;
      latencies.push(performance.now() - sentAt);
    }
    if (running) send();
  });
  return socket;
}

function takeAnswer(bytes: Buffer): { status: number; body: Buffer; end: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const end = headEnd + 4 + length;
  if (bytes.length < end) return undefined;
  return { status: Number(head.slice(9, 12)), body: bytes.subarray(headEnd + 4, end), end };
}
