import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readCredentialsFile, writeCredentialsFile } from "../../src/cli/credentials-file.ts";
import { temporaryFolder } from "../gateway/support.ts";
import { credentials, run, runningServer } from "./support.ts";

// Goal: the verbs that speak for a running server find it, its CA and its credentials.
// Method: a gateway with a private CA answers in the place of the server.

test("env prints what a shell can take over, quoted, and the same as JSON", async (t) => {
  const { folder, httpsUrl } = await runningServer(t);
  const workingDirectory = folder;
  const { code, out } = await run(["env", "--data", folder], { workingDirectory });
  assert.equal(code, 0);
  const show = "AWS_ENDPOINT_URL AWS_CA_BUNDLE NODE_EXTRA_CA_CERTS AWS_ACCESS_KEY_ID".split(" ");
  show.push("AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE");
  const script = `${out}\nfor name in ${show.join(" ")}; do eval "echo \\"\\$$name\\""; done`;
  const printed = execFileSync("sh", ["-c", script], {
    env: { PATH: process.env.PATH, AWS_PROFILE: "left over", AWS_SESSION_TOKEN: "left over" },
  });
  const ca = join(folder, "ca.pem");
  const expected = [httpsUrl, ca, ca, credentials.accessKeyId, credentials.secretAccessKey];
  expected.push("eu-west-1", "eu-west-1", "");
  assert.deepEqual(printed.toString().split("\n").slice(0, -1), expected);
  const json = await run(["env", "--data", folder, "--format", "json"], { workingDirectory });
  assert.deepEqual(Object.keys(JSON.parse(json.out)), show.slice(0, -1));
});

test("env --services leaves other services on AWS, their authorities included", async (t) => {
  const { folder, httpsUrl } = await runningServer(t);
  const argv = ["env", "--data", folder, "--services", "--format", "json"];
  const { out } = await run(argv, { workingDirectory: folder });
  const variables = JSON.parse(out);
  assert.equal("AWS_ENDPOINT_URL" in variables, false);
  for (const service of ["SNS", "SQS", "KMS", "IAM", "STS", "CLOUDTRAIL"]) {
    assert.equal(variables[`AWS_ENDPOINT_URL_${service}`], httpsUrl);
  }
  const bundle = readFileSync(variables.AWS_CA_BUNDLE, "utf8");
  assert.ok(bundle.includes(readFileSync(join(folder, "ca.pem"), "utf8")));
  assert.ok(bundle.split("BEGIN CERTIFICATE").length > 50);
});

test("env explains a killed server and a deleted credentials file", async (t) => {
  const { folder } = await runningServer(t);
  const options = { workingDirectory: folder };
  const dead = await run(["env", "--data", folder], { ...options, io: { isAlive: () => false } });
  assert.equal(dead.code, 1);
  assert.match(dead.err, /no server runs/);
  writeFileSync(join(folder, "credentials"), "[other]\naws_access_key_id = x\n");
  const gone = await run(["env", "--data", folder], options);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /no file credentials/);
  const environment = {
    SEALPOST_ROOT_ACCESS_KEY_ID: "AKIAOTHER",
    SEALPOST_ROOT_SECRET_ACCESS_KEY: "other",
  };
  const given = await run(["env", "--data", folder], { ...options, environment });
  assert.match(given.out, /AWS_ACCESS_KEY_ID=AKIAOTHER/);
});

test("clock verbs ask the server over HTTPS, signed, and print the time", async (t) => {
  const { folder, asked } = await runningServer(t);
  const options = { workingDirectory: folder };
  const moved = await run(["clock", "advance", "5m", "--data", folder], options);
  assert.equal(moved.out, "2026-01-01T00:05:00.000Z (virtual clock)\n", moved.err);
  const shown = await run(["clock", "show", "--data", folder, "--format", "json"], options);
  assert.equal(JSON.parse(shown.out).clock, "virtual");
  assert.deepEqual(
    asked.map(({ input }) => input),
    [{ advanceSeconds: 300 }, undefined],
  );
  const scope = `Credential=${credentials.accessKeyId}/20260102/eu-west-1/sealpost/aws4_request`;
  assert.ok(asked[0]?.authorization.includes(scope));
});

test("a server that refuses is quoted", async (t) => {
  const { folder } = await runningServer(t, "/_sealpost/other");
  const refused = await run(["clock", "show", "--data", folder], { workingDirectory: folder });
  assert.equal(refused.code, 1);
  assert.equal(refused.err, "sealpost: there is no such address\n");
});

test("credentials are written for their owner only, and read back", (t) => {
  const folder = temporaryFolder(t);
  assert.equal(readCredentialsFile(folder), undefined);
  writeCredentialsFile(folder, credentials);
  assert.equal(statSync(join(folder, "credentials")).mode & 0o777, 0o600);
  assert.deepEqual(readCredentialsFile(folder), credentials);
});
