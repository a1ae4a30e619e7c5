import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Starts a script of this folder and answers its first line of output, parsed. */
export function startScript<T>(
  script: string,
  args: readonly string[],
): Promise<{ child: ChildProcess; first: T }> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${script} ended with ${code}`)));
    child.stdout?.once("data", (line: Buffer) =>
      resolve({ child, first: JSON.parse(String(line)) }),
    );
  });
}

/** Runs a script with a value as JSON on its standard input; answers what it printed. */
export async function runScript<T>(script: string, input: object): Promise<T> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  return JSON.parse(await run(process.execPath, [file], JSON.stringify(input)));
}

/** Runs a program to its end; answers its standard output, rejects if it fails. */
export function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${program} ${args[0] ?? ""} ended with ${code}: ${complaints}`)),
    );
  });
}

/** Of /proc, in which Linux counts CPU time and not in nanoseconds. */
const ticksPerSecond = 100;

/** CPU seconds used by a process and all its children, from /proc; 0 for process 0. */
export function treeCpuSeconds(pid: number): number {
  if (pid === 0) return 0;
  return tree(pid).reduce((sum, id) => sum + cpuSeconds(id), 0);
}

/** The same with those of its children that have ended: for a family that comes and goes. */
export function familyCpuSeconds(pid: number): number {
  const alive = tree(pid).map((id) => {
    try {
      return cpuSeconds(id);
    } catch {
      // It ended just now, and its parent has its time.
      return 0;
    }
  });
  return alive.reduce((sum, seconds) => sum + seconds, endedSeconds(pid));
}

/**
 * Threads that live are told to the nanosecond, those that ended are in the process's total, which
 * is in ticks and rounded down: the larger of both is the closer one.
 */
function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  const total = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  const threads = readdirSync(`/proc/${pid}/task`);
  return Math.max(
    total,
    threads.reduce((sum, id) => sum + threadSeconds(pid, id), 0),
  );
}

/** 0 where the kernel does not tell, and of a thread that has just ended. */
function threadSeconds(pid: number, threadId: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/task/${threadId}/schedstat`, "utf8");
    return Number(text.split(" ")[0]) / 1e9;
  } catch {
    return 0;
  }
}

/** CPU seconds of this process and of those of its children that have ended. */
export function ownCpuSeconds(): { own: number; ended: number } {
  const fields = statOf(process.pid);
  const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return { own, ended: endedSeconds(process.pid) };
}

function endedSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** CPU seconds of the whole machine, and what the host took away from it, since it started. */
export function machineCpuSeconds(): number {
  const line = readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "";
  const [user, nice, system, , , hard, soft, stolen] = line.split(/\s+/).slice(1).map(Number);
  const parts = [user, nice, system, hard, soft, stolen];
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) / ticksPerSecond;
}

/** Resident bytes of each process in the tree, the root first. */
export function treeResidentBytes(pid: number): number[] {
  return tree(pid).map((id) => {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  });
}

function tree(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(statOf(Number(name))[1]) === pid;
      } catch {
        return false;
      }
    });
  return [pid, ...children.flatMap((child) => tree(Number(child)))];
}

/** Fields of /proc/PID/stat after the command name: state, parent, … */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
