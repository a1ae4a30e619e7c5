import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Generator } from "./measure.ts";
import { ownCpuSeconds, run, runScript, treeCpuSeconds } from "./processes.ts";
import { type Loaded, type Plan, type RequestSpec, signedHead } from "./requests.ts";

type Measured = Loaded & { readonly serverCpuSeconds: number };

/** Loads a server as the plan says, with one of the two generators. */
export function runGenerator(generator: Generator, plan: Plan): Promise<Measured> {
  const { work } = plan;
  if (generator === "wrk" && work.kind === "fixed") {
    return runWrk(plan, work.request, work.messagesEach);
  }
  return runScript<Measured>("generator.ts", plan);
}

/** Whether `wrk` can be run; a Debian package of that name has it. */
export function wrkIsHere(): boolean {
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" });
  } catch (error) {
    // It ends with 1 after its version.
    return (error as { status?: number | null }).status === 1;
  }
  return true;
}

/**
 * `wrk` sends one signed request again and again at a fraction of our generator's cost. It looks at
 * the status alone, so the warm-up is ours, which reads every answer.
 */
async function runWrk(plan: Plan, request: RequestSpec, messagesEach: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-wrk-"));
  try {
    const warmUp = { ...plan, warmUpMs: 0, measureMs: Math.max(50, plan.warmUpMs) };
    const read = await runScript<Measured>("generator.ts", warmUp);
    writeFileSync(join(folder, "body"), request.body);
    writeFileSync(join(folder, "load.lua"), script(plan, request, join(folder, "body")));
    const before = { server: treeCpuSeconds(plan.pid), own: ownCpuSeconds().ended };
    const told = await run("wrk", wrkFlags(plan, folder));
    const serverCpuSeconds = treeCpuSeconds(plan.pid) - before.server;
    const cpuSeconds = ownCpuSeconds().ended - before.own;
    const seen: Seen = JSON.parse(told.slice(told.lastIndexOf("\n{")));
    const failed = seen.refused + seen.broken;
    const completed = Math.max(0, seen.requests - seen.refused);
    const text = `${seen.refused} refused, ${seen.broken} broken of ${seen.requests}`;
    return {
      ...seen.latency,
      seconds: seen.microseconds / 1e6,
      completed,
      messages: completed * messagesEach,
      empty: 0,
      lagP99Ms: 0,
      failed: failed + read.failed,
      firstFailure: read.firstFailure || (failed > 0 ? text : ""),
      cpuSeconds,
      serverCpuSeconds,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Seen {
  readonly requests: number;
  readonly microseconds: number;
  readonly refused: number;
  readonly broken: number;
  readonly latency: { p50Ms: number; p90Ms: number; p99Ms: number; maxMs: number };
}

function wrkFlags({ ca, port, connections, measureMs }: Plan, folder: string): string[] {
  const url = `${ca ? "https" : "http"}://localhost:${port}/`;
  // It takes whole seconds only.
  const duration = `${Math.max(1, Math.round(measureMs / 1000))}s`;
  const script = join(folder, "load.lua");
  return ["-t1", `-c${connections}`, `-d${duration}`, "--timeout", "20s", "-s", script, url];
}

function script(plan: Plan, request: RequestSpec, bodyFile: string): string {
  const headers = Object.entries(signedHead(plan, request)).map(([name, value]) => {
    // wrk adds a Host of its own unless it finds it under this very name.
    const known = name === "host" ? "Host" : name;
    return `wrk.headers[${lua(known)}] = ${lua(value)}`;
  });
  return `
local file = io.open(${lua(bodyFile)}, "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
${headers.join("\n")}
function done(summary, latency, requests)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local at = function(share) return latency:percentile(share) / 1000 end
  io.write(string.format("\\n{\\"requests\\":%d,\\"microseconds\\":%d,\\"refused\\":%d," ..
    "\\"broken\\":%d,\\"latency\\":{\\"p50Ms\\":%.3f,\\"p90Ms\\":%.3f,\\"p99Ms\\":%.3f," ..
    "\\"maxMs\\":%.3f}}\\n",
    summary.requests, summary.duration, errors.status, broken,
    at(50), at(90), at(99), latency.max / 1000))
end
`;
}

function lua(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
