/**
 * Draws what a person sees in a terminal of 80 columns, for the README, dark and light:
 * `node scripts/draw-terminals.ts`. The commands run, in a real terminal (`script` of util-linux);
 * ids, ports and folders of the moment are replaced by lasting ones.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { palettes, terminalColumns, terminalPicture } from "./pictures/terminal-svg.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const sealpost = join(root, "bin/sealpost.js");
const folder = mkdtempSync(join(tmpdir(), "sealpost-pictures-"));

try {
  draw(
    "start",
    "The start of a server",
    "npx sealpost serve",
    shown(`timeout --foreground --preserve-status --signal=INT 5 node ${sealpost} serve --port 0`),
  );
  const demo = shown(`node ${sealpost} demo`);
  const from = demo.findIndex((line) => line.includes("6. "));
  draw("demo", "The demo: a key is disabled, rights are taken away", "npm run demo", [
    "…",
    ...demo.slice(from),
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function draw(name: string, title: string, typed: string, lines: readonly string[]): void {
  const text = [`\u001b[2m$\u001b[0m \u001b[1m${typed}\u001b[0m`, ...lines].join("\n");
  for (const [shade, palette] of Object.entries(palettes)) {
    const file = join(root, `docs/images/terminal-${name}-${shade}.svg`);
    writeFileSync(file, terminalPicture(text, title, palette));
  }
}

/** What the command shows in a terminal. */
function shown(command: string): string[] {
  const inTerminal = `stty cols ${terminalColumns} rows 40; ${command}`;
  const output = execFileSync("script", ["-qec", inTerminal, "/dev/null"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return lasting(output.replaceAll("\r", "")).trimEnd().split("\n");
}

function lasting(output: string): string {
  return output
    .replaceAll(folder, "/srv/clinic")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:4566")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "1234abcd-12ab-34cd-56ef-1234567890ab")
    .replace(/AKIA[A-Z2-7]{16}/g, "AKIAIOSFODNN7EXAMPLE")
    .replace(/\d\d:\d\d:\d\d (?=INFO)/g, "09:00:00 ");
}
