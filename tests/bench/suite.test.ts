// Goal: the benchmarks measure what they say and judge by it. Method: the plan without servers is
// held against the goals; the generator asks small servers of the test, also ones that fail; the
// short form runs once with tiny slices. No number is judged.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { takeAnswer } from "../../bench/answers.ts";
import { type Case, choose } from "../../bench/cases.ts";
import { type Found, goalsOf, verdict } from "../../bench/goals.ts";
import { type LoadTarget, measureOnce, type Slice } from "../../bench/measure.ts";
import { readOptions } from "../../bench/options.ts";
import { planWithoutServers } from "../../bench/placeholders.ts";
import { allCases } from "../../bench/plan.ts";
import { page } from "../../bench/report/page.ts";
import { table } from "../../bench/report/table.ts";
import { sqs, type Work } from "../../bench/requests.ts";
import { type Results, rowsOf } from "../../bench/results.ts";
import { runSuite } from "../../bench/suite.ts";

const cases = allCases(planWithoutServers(false));

const slice: Slice = {
  completed: 100,
  messages: 100,
  failed: 0,
  firstFailure: "",
  empty: 0,
  seconds: 1,
  cpuSeconds: 0.1,
  p50Ms: 1,
  p90Ms: 2,
  p99Ms: 3,
  maxMs: 4,
  lagP99Ms: 0,
  serverCpuSeconds: 0.5,
  otherCores: 0,
  residentBytes: 2 ** 20,
  generator: "own",
};

function found(some: readonly Case[], change: (it: Case) => Slice = () => slice): Found {
  const half = {
    ratePerSecond: 1,
    answeredPerSecond: 1,
    p50Ms: 1,
    p90Ms: 1,
    p99Ms: 1,
    lagP99Ms: 0,
    floorP50Ms: 1,
    floorP90Ms: 1,
    floorP99Ms: 1,
    fsyncP50Ms: 1,
    fsyncP90Ms: 1,
    fsyncP99Ms: 1,
    p99PerFsync: 1,
    failed: 0,
  };
  const point = { microseconds: 1, perSecond: 1, p50Ms: 1, failed: 0, firstFailure: "" };
  return {
    form: "full",
    only: undefined,
    startedAt: "2026-01-01T00:00:00.000Z",
    seconds: 60,
    rounds: 1,
    sliceMs: 1_000,
    machine: {
      node: "v0",
      cpu: "<cpu>",
      cores: 2,
      memoryGib: 1,
      system: "Linux",
      loadBefore: 0,
      loadAfter: 0,
    },
    generator: "own",
    rows: rowsOf(some, new Map(some.map((it) => [it.target, [change(it)]]))),
    absent: ["moto: not present"],
    sealing: { microseconds: 1, low: 0, high: 2, pairs: 3 },
    footprint: {
      firstStartSeconds: [1],
      laterStartSeconds: [0.5],
      idleBytes: 2 ** 20,
      idleTreeBytes: 2 ** 21,
    },
    halfLoad: [
      { name: "SendMessage, https, SSE-KMS", ...half },
      { name: "SendMessage, http, SSE-KMS", ...half },
    ],
    growth: [
      {
        of: "queues",
        operation: "SendMessage",
        points: [
          { size: 0, cost: 1, ...point },
          { size: 10_000, cost: 1.05, ...point },
        ],
      },
    ],
    idle: { queues: 10_000, share: 0.001 },
  };
}

test("every goal finds its rows in the full plan", () => {
  const goals = goalsOf(found(cases));
  assert.ok(goals.length > 20);
  assert.deepEqual(
    goals.filter((goal) => verdict(goal) === "not measured").map(({ goal }) => goal),
    [],
  );
});

test("a goal whose row has failures, or is not there, is not measured", () => {
  const name = "SendMessage, https, SSE-KMS";
  const of = (some: Found) => goalsOf(some).find(({ goal }) => goal === "SendMessage over HTTPS");
  const failing = found(cases, (it) =>
    it.target.name === name ? { ...slice, failed: 1, firstFailure: "403 no" } : slice,
  );
  const without = found(cases.filter(({ target }) => target.name !== name));
  for (const some of [failing, without]) {
    const goal = of(some);
    assert.ok(goal);
    assert.equal(verdict(goal), "not measured");
  }
  assert.match(table(failing.rows), /✖ 1 FAILED: 403 no/);
});

test("names of rows are unique, and every floor is a row", () => {
  const names = cases.map(({ target }) => target.name);
  assert.equal(new Set(names).size, names.length);
  const strays = cases.filter(({ floor }) => floor !== undefined && !names.includes(floor));
  assert.deepEqual(strays, []);
});

test("the short form has the main rows; a chosen row brings its floor", () => {
  const short = choose(allCases(planWithoutServers(true)), { short: true, only: undefined });
  assert.ok(short.length < cases.length / 3);
  const some = choose(cases, { short: false, only: "sendmessage, http, fauxqs" });
  assert.deepEqual(
    some.map(({ target }) => target.name),
    ["bare node:http", "SendMessage, http, fauxqs"],
  );
});

test("the page needs nothing but itself, and shows each goal", () => {
  const results: Results = { ...found(cases), goals: goalsOf(found(cases)) };
  const again: Results = JSON.parse(JSON.stringify(results));
  for (const html of [page(results), page(again)]) {
    assert.doesNotMatch(html, /(?:src|href)=|url\(|@import|<script/);
    assert.doesNotMatch(html, /NaN|Infinity|undefined|<cpu>/);
    for (const { goal } of results.goals) assert.ok(html.includes(goal), goal);
  }
});

test("answers are read whole, in pieces and in chunks", () => {
  const plain = Buffer.from("HTTP/1.1 403 No\r\nX: y\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200");
  const answer = takeAnswer(plain);
  assert.deepEqual([answer?.status, String(answer?.body)], [403, "abc"]);
  assert.equal(plain.subarray(answer?.end).toString(), "HTTP/1.1 200");
  const text =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  const chunked = Buffer.from(text);
  assert.equal(String(takeAnswer(chunked)?.body), "abc");
  for (let end = 0; end < chunked.length; end += 1) {
    assert.equal(takeAnswer(chunked.subarray(0, end)), undefined);
  }
});

async function asking(listener: RequestListener, work: Work, more: Partial<LoadTarget> = {}) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const target: LoadTarget = {
      name: "a small server",
      pid: process.pid,
      port,
      ca: undefined,
      accessKeyId: "AKIA",
      secretAccessKey: "secret",
      connections: 2,
      generator: "own",
      work,
      ...more,
    };
    return await measureOnce(target, { warmUpMs: 0, measureMs: 300 });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const send = sqs("SendMessageBatch", { QueueUrl: "queue", Entries: [] });

test("so many requests as asked for are sent, and counted", async () => {
  let asked = 0;
  const work: Work = { kind: "fixed", request: send, messagesEach: 10, times: 7 };
  const measured = await asking((_, response) => {
    asked += 1;
    response.end("{}");
  }, work);
  assert.deepEqual([asked, measured.completed, measured.messages, measured.failed], [7, 7, 70, 0]);
});

test("refusals and batches with failed entries are failures, with their text", async () => {
  const answers = ['{"Successful":[],"Failed":[{"Id":"0"}]}', "no"];
  const work: Work = { kind: "turns", requests: [send, send], once: true };
  const measured = await asking((_, response) => {
    const body = answers.pop() ?? "";
    response.writeHead(body === "no" ? 403 : 200).end(body);
  }, work);
  assert.deepEqual([measured.completed, measured.failed], [0, 2]);
  assert.match(measured.firstFailure, /^403 no|^200 .*Failed/);
});

test("in the open loop requests come at their rate, also while none is answered", async () => {
  const work: Work = { kind: "fixed", request: send, messagesEach: 1 };
  const measured = await asking(
    (_, response) => void setTimeout(() => response.end("{}"), 40),
    work,
    { ratePerSecond: 200 },
  );
  // Two connections can answer 50 of 200 in a second: the others wait, and that time counts.
  assert.ok(measured.p99Ms > 80, `p99 ${measured.p99Ms} ms`);
});

test("the short form runs through with tiny slices", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-test-"));
  try {
    const flags = ["--short", "--only", "SendMessage, https, SSE-KMS", "--rounds", "1"];
    const { options } = readOptions([...flags, "--generator", "own"], folder);
    const tiny = { ...options, warmUpMs: 50, sliceMs: 200 };
    const results = await runSuite(tiny, () => undefined);
    assert.deepEqual(
      results.rows.map(({ name, slices, firstFailure }) => [name, slices, firstFailure]),
      ["bare node:https", "SendMessage, https, SSE-KMS"].map((name) => [name, 1, ""]),
    );
    assert.match(page(results), /SendMessage, https, SSE-KMS/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("flags that make no sense are refused with a text", () => {
  assert.throws(() => readOptions(["--rounds", "none"], ""), /--rounds takes a whole number/);
  assert.throws(() => readOptions(["--generator", "ab"], ""), /takes wrk or own, not ab/);
  assert.throws(() => readOptions(["--unknown"], ""), /Unknown option/);
});
