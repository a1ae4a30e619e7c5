import type { Results } from "../results.ts";
import { escaped } from "./charts.ts";
import {
  cpuSection,
  footprintSection,
  goalSection,
  growthSection,
  latencySection,
  peerSection,
  ratioSection,
  section,
  tableSection,
} from "./sections.ts";
import { loadLine } from "./table.ts";

const style = `
:root {
  color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --paper: #ffffff; --line: #d1d9e0;
  --ours: #0969da; --floor: #818b98; --peer: #bc4c00; --second: #c8d1da; --goal: #cf222e;
  --allowed: #ddf4e4; --good: #1a7f37;
  --font: ui-sans-serif, system-ui, Helvetica, Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --faint: #9198a1; --paper: #0d1117; --line: #30363d; --ours: #4493f8;
    --floor: #8b949e; --peer: #db8b3b; --second: #3d444d; --goal: #f85149; --allowed: #12261e;
    --good: #3fb950;
  }
}
body {
  margin: 2rem auto; max-width: 68rem; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 var(--font);
}
h1 { font-size: 1.6rem; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
p, li, small, figcaption span { color: var(--faint); }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td {
  text-align: left; padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line);
  vertical-align: top;
}
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { white-space: nowrap; }
tr.met td:first-child { color: var(--good); }
tr.not-met td:first-child { color: var(--goal); }
tr.not-measured td { color: var(--faint); }
figure { margin: 1rem 0; }
figcaption { font-weight: 600; }
figcaption span { font-weight: 400; margin-left: 0.5rem; }
svg { max-width: 100%; height: auto; }
svg text { font: 12px var(--font); fill: var(--faint); }
svg text.value { fill: var(--ink); }
.ours { fill: var(--ours); stroke: var(--ours); stroke-width: 0; }
.floor { fill: var(--floor); stroke: var(--floor); stroke-width: 0; }
.peer { fill: var(--peer); stroke: var(--peer); stroke-width: 0; }
.second { fill: var(--second); }
.thick { stroke-width: 2; }
.hollow { fill: var(--paper); stroke-width: 2; }
.line { fill: none; stroke-width: 2; }
line.grid { stroke: var(--line); }
.range { stroke: var(--ink); stroke-width: 1.5; }
.goal { stroke: var(--goal); stroke-width: 3; }
.allowed { fill: var(--allowed); }
div.grid { display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
.wide { overflow-x: auto; }
`;

const method = `
<p>All rows take turns in short slices, five at least in the full form, and a figure is the median
of its slices; a ratio is made within each round, and its median taken. Requests are signed, and the
server verifies each of them; every answer waits for the fsync. A slice begins when the code is
warm. The generator shares the cores with the server, so its CPU is told beside the server's.
Answers that are not 200, batches with failed entries, and messages that are not in their queue
afterwards count as failures, and such a row is not compared. wrk opens its connections within the
slice; our generator before it.</p>`;

/** A page that needs nothing but itself. */
export function page(results: Results): string {
  const { machine, form, only, rounds, sliceMs, generator, startedAt, seconds } = results;
  const facts = [
    `${startedAt.slice(0, 16).replace("T", " ")} UTC, ${form} form${only ? `, only “${only}”` : ""}: ${rounds} slices of ${sliceMs / 1000} s, ${Math.round(seconds / 60)} min in all`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}; Node ${machine.node}`,
    `generator: ${generator}${generator === "wrk" ? " for fixed requests, our own for the rest" : ""}`,
    loadLine(results),
  ];
  const list = facts.map((fact) => `<li>${escaped(fact)}</li>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sealpost: speed</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${style}</style></head><body>
<h1>Sealpost: speed</h1><ul>${list}</ul>
${[
  goalSection(results),
  ratioSection(results),
  peerSection(results),
  latencySection(results),
  cpuSection(results),
  growthSection(results),
  footprintSection(results),
  section("How it was measured", method),
  tableSection(results),
].join("\n")}
</body></html>
`;
}
