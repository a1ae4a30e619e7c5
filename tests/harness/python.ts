import { execFileSync } from "node:child_process";

/** For the option `skip` of a test that asks python's `cryptography`, which shares no code with ours. */
export const withoutPython = hasPython() ? false : "needs python3 with the package cryptography";

/** What a program prints that is given these lines. */
export function runPython(program: string, lines: readonly string[]): readonly string[] {
  const told = execFileSync("python3", ["-c", program], { input: lines.join("\n") });
  return told.toString().trim().split("\n");
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import cryptography"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
