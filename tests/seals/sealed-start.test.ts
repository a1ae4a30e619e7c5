import { equal, match, ok } from "node:assert/strict";
import { readFileSync, renameSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "../../src/cli/settings.ts";
import { startServer } from "../../src/main.ts";
import { fill, folderFor, opensAll, serve } from "./scene.ts";

// Goal: without its seal a server serves no request and says so; with the seal back it opens by
// itself. Method: take the root key away, start, ask health and others over a socket, put it back.
// The twins: a wrong root key stops the start, and so does a seal that is missing at first start.

test("sealed without its root key, open again once it is back", async (t) => {
  const folder = folderFor(t);
  const first = await serve(folder);
  const scene = await fill(first);
  await first.stop();
  renameSync(join(folder, "root.key"), join(folder, "away"));
  const sealed = await startServer(settingsFor(folder));
  const health = await ask(`${sealed.httpsUrl}/_sealpost/health`);
  equal(health.status, 503);
  equal(JSON.parse(health.body).status, "sealed");
  // Its own key is sealed as well: nobody is asked to trust this certificate.
  ok(!health.trusted, "the certificate is not one of the installation's CA");
  for (const path of ["/", "/_sealpost/metrics", "/123456789012/sealed"]) {
    const answer = await ask(sealed.httpsUrl + path, folder);
    equal(answer.status, 503);
    match(answer.body, /server is sealed/);
  }
  const file = JSON.parse(readFileSync(join(folder, "server.json"), "utf8"));
  equal(file.httpsUrl, sealed.httpsUrl);

  renameSync(join(folder, "away"), join(folder, "root.key"));
  let status = 503;
  for (const until = performance.now() + 30_000; status !== 200 && performance.now() < until; ) {
    const now = await ask(`${sealed.httpsUrl}/_sealpost/health`).catch(() => undefined);
    status = now?.status ?? 503;
  }
  equal(status, 200);
  await sealed.stop();
  const last = await serve(folder);
  await opensAll(last, scene);
  await last.stop();
});

test("a passphrase that is missing seals the server, a wrong one stops it", async (t) => {
  const folder = folderFor(t);
  const flags = { seal: "passphrase" };
  const first = await serve(folder, flags, { SEALPOST_SEAL_PASSPHRASE: "correct horse battery" });
  await first.stop();
  const sealed = await startServer(settingsFor(folder, flags));
  equal((await ask(`${sealed.httpsUrl}/_sealpost/health`)).status, 503);
  await sealed.stop();
  const wrong = { SEALPOST_SEAL_PASSPHRASE: "wrong horse battery" };
  const error: unknown = await startServer(settingsFor(folder, flags, wrong)).catch((e) => e);
  match(String(error), /passphrase does not open this data folder/);
});

test("a first start without its seal is an error, not a sealed server", async (t) => {
  const error: unknown = await startServer(settingsFor(folderFor(t), { seal: "passphrase" })).catch(
    (e) => e,
  );
  match(String(error), /passphrase is missing/);
});

function settingsFor(
  data: string,
  flags: Readonly<Record<string, unknown>> = {},
  environment: Readonly<Record<string, string>> = {},
) {
  return readSettings({
    flags: { data, port: 0, clock: "virtual", logLevel: "error", ...flags },
    environment,
    workingDirectory: data,
  });
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly trusted: boolean;
}

function ask(url: string, caFolder?: string): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const ca = caFolder && readFileSync(join(caFolder, "ca.pem"), "utf8");
  const options = { rejectUnauthorized: false, agent: false, ...(ca && { ca }) } as const;
  const request = https.get(url, options, (response) => {
    const trusted = "authorized" in response.socket && response.socket.authorized === true;
    let body = "";
    response.on("data", (part: Buffer) => {
      body += part.toString();
    });
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body, trusted }));
  });
  request.on("error", reject);
  return promise;
}
