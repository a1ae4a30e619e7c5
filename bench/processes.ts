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
export function runScript<T>(script: string, input: object): Promise<T> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(input));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`${script} ended with ${code}`)),
    );
  });
}

const ticksPerSecond = 100;

/** CPU seconds used by a process and all its children, from /proc. */
export function treeCpuSeconds(pid: number): number {
  return tree(pid).reduce((sum, id) => {
    const fields = statOf(id);
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }, 0);
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
