import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { virtualClock } from "../../src/clock/virtual.ts";
import { type AdminRoute, adminHandler, withAdmin } from "../../src/gateway/admin.ts";
import { clockRoutes } from "../../src/gateway/clock-routes.ts";
import type { Handler, HttpExchange, HttpReply } from "../../src/gateway/exchange.ts";
import { type Health, healthRoute, sealedHandler } from "../../src/gateway/health.ts";
import { createLogger } from "../../src/gateway/logger.ts";
import { createMetrics, metricsRoute } from "../../src/gateway/metrics.ts";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { echo, rawClient, statusOf, testGateway } from "./support.ts";

// Goal: the server's own API answers only what its table says, to whom the guard lets through, and
// texts of users neither break the log nor the metrics. Method: handlers called as the gateway
// does.

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly sourceIp?: string;
  readonly secure?: boolean;
}

async function ask(handler: Handler, request: Request): Promise<HttpReply> {
  const { method = "GET", path, body = "", sourceIp = "127.0.0.1", secure = false } = request;
  const exchange: HttpExchange = {
    method,
    path,
    query: "",
    headers: new Map(),
    transportFacts: { secure, sourceIp, userAgent: "", baseUrl: "", tls: undefined },
    signal: new AbortController().signal,
    bodyAuthenticated() {},
  };
  const admission = await handler.admit(exchange);
  if ("refuse" in admission) return admission.refuse;
  return handler.handle(exchange, Buffer.from(body), admission.context);
}

function admin(routes: readonly AdminRoute[], options: { allowInsecureSecrets?: boolean } = {}) {
  const asked: string[] = [];
  const handler = adminHandler({
    routes,
    guard: {
      async authorise(_exchange, _body, action) {
        asked.push(action);
        if (action === "sealpost:Denied") {
          throw new Refusal("AccessDenied", "you may not", { status: 403 });
        }
      },
    },
    allowInsecureSecrets: options.allowInsecureSecrets ?? false,
    log: silentLog,
  }) as Handler;
  return { handler, asked };
}

function route(action: AdminRoute["action"], handle: AdminRoute["handle"]): AdminRoute {
  return { method: "POST", path: "/_sealpost/x", action, handle };
}

test("the guard is asked for guarded routes only, and its refusal is the answer", async () => {
  const path = "/_sealpost/x";
  const ran: string[] = [];
  const run = (name: string) => () => {
    ran.push(name);
    return { json: { name } };
  };
  const denied = admin([route("sealpost:Denied", run("denied"))]);
  const reply = await ask(denied.handler, { method: "POST", path });
  assert.equal(reply.status, 403);
  assert.deepEqual(JSON.parse(String(reply.body)), {
    code: "AccessDenied",
    message: "you may not",
  });
  const allowed = admin([route("sealpost:Allowed", run("allowed"))]);
  assert.equal((await ask(allowed.handler, { method: "POST", path })).status, 200);
  const open = admin([route(null, run("open"))]);
  assert.equal((await ask(open.handler, { method: "POST", path })).status, 200);
  assert.deepEqual([denied.asked, allowed.asked, open.asked].flat(), [
    "sealpost:Denied",
    "sealpost:Allowed",
  ]);
  assert.deepEqual(ran, ["allowed", "open"]);
});

test("unknown addresses, methods and bodies are told apart; failures show no inside", async () => {
  const failing = (error: Error) =>
    admin([
      route(null, () => {
        throw error;
      }),
    ]).handler;
  const path = "/_sealpost/x";
  const fine = admin([route(null, () => ({ json: null }))]).handler;
  assert.equal((await ask(fine, { path: "/_sealpost/y" })).status, 404);
  const wrongMethod = await ask(fine, { path });
  assert.equal(wrongMethod.status, 405);
  assert.equal(wrongMethod.headers.allow, "POST");
  assert.equal((await ask(fine, { method: "POST", path, body: "{" })).status, 400);
  const bug = await ask(failing(new Error("inside")), { method: "POST", path });
  assert.equal(bug.status, 500);
  assert.equal(String(bug.body).includes("inside"), false);
  const fault = await ask(failing(new Fault("disk-full", "the disk is full")), {
    method: "POST",
    path,
  });
  assert.equal(fault.status, 503);
});

test("another machine needs TLS, unless that is allowed", async () => {
  const routes = [healthRoute(() => ({ status: "ok", clock: "system", version: "1" }))];
  const path = "/_sealpost/health";
  const sourceIp = "192.0.2.1";
  assert.equal((await ask(admin(routes).handler, { path, sourceIp })).status, 403);
  assert.equal((await ask(admin(routes).handler, { path, sourceIp, secure: true })).status, 200);
  assert.equal((await ask(admin(routes).handler, { path })).status, 200);
  const lenient = admin(routes, { allowInsecureSecrets: true });
  assert.equal((await ask(lenient.handler, { path, sourceIp })).status, 200);
});

test("health is 200 once requests are served; a sealed server says so everywhere", async (t) => {
  let status: Health["status"] = "sealed";
  const routes = [healthRoute(() => ({ status, clock: "virtual", version: "1" }))];
  const { port } = await testGateway(t, {
    handler: withAdmin(admin(routes).handler as never, sealedHandler() as Handler),
  });
  const get = async (path: string, wait: string) => {
    const client = rawClient(t, port);
    client.socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    return client.until(wait);
  };
  const sealed = await get("/_sealpost/health", "}");
  assert.equal(statusOf(sealed), 503);
  assert.match(sealed, /\{"status":"sealed","clock":"virtual","version":"1"\}/);
  assert.equal(statusOf(await get("/", "is sealed")), 503);
  status = "ok";
  assert.equal(statusOf(await get("/_sealpost/health", "}")), 200);
});

test("what is not the server's own goes to the front", async () => {
  const handler = withAdmin(admin([]).handler as never, echo());
  assert.equal((await ask(handler, { path: "/_sealpost/none" })).status, 404);
  for (const path of ["/", "/_sealpost", "/x/_sealpost/health"]) {
    assert.equal((await ask(handler, { path })).status, 200, path);
  }
});

function clock(t: TestContext) {
  const virtual = virtualClock({
    systemNow: () => Date.UTC(2026, 0, 1),
    offsetMs: 0,
    saveOffset: () => {},
    onError: () => {},
  });
  t.after(() => virtual.close());
  return virtual;
}

test("the clock moves only if it is virtual, and only forward by seconds", async (t) => {
  const virtual = clock(t);
  const path = "/_sealpost/clock";
  const moving = admin(clockRoutes(virtual, virtual));
  const moved = await ask(moving.handler, { method: "POST", path, body: '{"advanceSeconds":300}' });
  assert.deepEqual(JSON.parse(String(moved.body)), {
    clock: "virtual",
    now: "2026-01-01T00:05:00.000Z",
  });
  const bad = ["", "{}", "[]", "3", '{"advanceSeconds":-1}', '{"advanceSeconds":"5"}'];
  bad.push('{"advanceSeconds":1e300}', '{"advanceSeconds":1,"x":2}', '{"__proto__":{}}');
  for (const body of bad) {
    const reply = await ask(moving.handler, { method: "POST", path, body });
    assert.equal(reply.status, 400, body);
  }
  assert.equal(virtual.offsetMs(), 300_000);
  assert.equal((await ask(moving.handler, { path })).status, 200);
  const post = "sealpost:AdvanceClock";
  assert.deepEqual(new Set(moving.asked), new Set([post, "sealpost:GetClock"]));
  const still = admin(clockRoutes(virtual, undefined));
  const refused = await ask(still.handler, { method: "POST", path, body: '{"advanceSeconds":1}' });
  assert.equal(refused.status, 400);
});

test("metrics count requests, escape texts of users, and are open only where said", async () => {
  const metrics = createMetrics({
    version: "1",
    requestsInFlight: () => 2,
    residentBytes: () => 1,
  });
  metrics.request({ service: "sqs", operation: "SendMessage", code: "ok", seconds: 0.002 });
  metrics.request({ service: "sqs", operation: "SendMessage", code: "ok", seconds: 30 });
  metrics.request({ service: "sqs", operation: "SendMessage", code: "Denied", seconds: 0.002 });
  metrics.kmsUse("Decrypt", "sqs");
  metrics.topic('a"} 1\nforged 2 \\', "PublishSize", 3);
  const guarded = admin([metricsRoute(metrics.render, false)]);
  const open = admin([metricsRoute(metrics.render, true)]);
  for (const { handler } of [guarded, open]) {
    const text = String((await ask(handler, { path: "/_sealpost/metrics" })).body);
    const lines = text.split("\n");
    const operation = 'service="sqs",operation="SendMessage"';
    for (const line of [
      `sealpost_requests_total{${operation},code="ok"} 2`,
      `sealpost_requests_total{${operation},code="Denied"} 1`,
      `sealpost_request_duration_seconds_bucket{${operation},le="0.0025"} 2`,
      `sealpost_request_duration_seconds_bucket{${operation},le="20"} 2`,
      `sealpost_request_duration_seconds_bucket{${operation},le="+Inf"} 3`,
      `sealpost_request_duration_seconds_count{${operation}} 3`,
      'sealpost_kms_uses_total{operation="Decrypt",via="sqs"} 1',
      'sealpost_sns_metric_total{topic="a\\"} 1\\nforged 2 \\\\",metric="PublishSize"} 3',
      "sealpost_requests_in_flight 2",
    ]) {
      assert.ok(lines.includes(line), `${line}\nis not in\n${text}`);
    }
    assert.equal(lines.filter((line) => line.startsWith("forged")).length, 0);
  }
  assert.deepEqual([guarded.asked, open.asked], [["sealpost:GetMetrics"], []]);
});

test("a log line stays one line without controls, and bytes are never printed", () => {
  for (const format of ["pretty", "json"] as const) {
    const lines: string[] = [];
    const log = createLogger({ level: "info", format, write: (line) => void lines.push(line) });
    log.debug("not at this level");
    log.info("text\u001b[31m\r\nforged", {
      "na\nme": "a\u0007b\u009bc\u202ed\u2028e",
      key: Buffer.from("secret key"),
      nested: { list: ["x\ny"], typed: new Uint8Array(3) },
      error: new Error("bad\u001b", { cause: new Fault("kind", "why\n") }),
    });
    assert.equal(lines.length, 1);
    const [line = ""] = lines;
    assert.equal(line.indexOf("\n"), line.length - 1, "one line");
    assert.match(line.slice(0, -1), /^[^\p{Cc}\u2028\u202e]*$/u);
    assert.doesNotMatch(line, /\\[rnu]|secret/, "nor are they printed as escapes");
    assert.match(line, /<10 bytes>[\s\S]*<3 bytes>/);
    assert.match(line, /why/);
  }
});
