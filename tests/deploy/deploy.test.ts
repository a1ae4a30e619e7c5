// Goal: the deployment files say what the guide says: no rights, no writable root, probes, a budget,
// settings that exist. Method: parse each; check it against the settings table, the health route,
// the metrics of a real server, and where they are installed against systemd-analyze and python's
// YAML. No container engine is needed.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSettings } from "../../src/cli/settings.ts";
import { rootKeyIdName, rootSecretName } from "../../src/cli/settings-checks.ts";
import { environmentNameOf, settingEntries } from "../../src/config.ts";
import { startTestServer } from "../harness/server.ts";
import { parseYaml, type YamlMap } from "./yaml.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const yamlFiles = [
  "deploy/compose.yaml",
  "deploy/compose.postgres.yaml",
  "deploy/kubernetes/sealpost.yaml",
];

const settingNames = new Set<string>([
  ...settingEntries.map(([name]) => environmentNameOf(name)),
  ...[rootKeyIdName, rootSecretName],
]);

/** A member by its path; throws if it is not there. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    const found = (inner as Record<string | number, unknown> | undefined)?.[key];
    ok(found !== undefined, `${path.join(".")}: ${key} is missing`);
    return found;
  }, value);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** The settings of an environment, as a server in a container would read them. */
function settingsFrom(environment: Record<string, string>) {
  const inside = { flags: {}, fileText: undefined, workingDirectory: "/", inContainer: true };
  return readSettings({ ...inside, environment });
}

const imageEnvironment = Object.fromEntries(
  [...read("Containerfile").matchAll(/^\s*(?:ENV )?(\w+)=(\S+)( \\)?$/gm)].map(
    ([, name, value]) => [name ?? "", value ?? ""],
  ),
);

test("every name that begins with SEALPOST_ is a setting", () => {
  const files = [...yamlFiles, "Containerfile", "deploy/systemd/sealpost.service"];
  for (const file of files) {
    const named = read(file).match(/SEALPOST_[A-Z_]+/g) ?? [];
    ok(named.length > 0, file);
    const about = file.endsWith("kubernetes/sealpost.yaml") ? ["SEALPOST_PORT"] : [];
    deepEqual(
      named.filter((name) => !settingNames.has(name) && !about.includes(name)),
      [],
      file,
    );
  }
});

test("the image: no rights, one volume, a health check, and settings that want a seal", () => {
  const text = read("Containerfile");
  match(text, /^USER 10001:10001$/m);
  equal([...text.matchAll(/^VOLUME /gm)].length, 1);
  match(text, /^HEALTHCHECK [\s\S]*_sealpost\/health/m);
  equal(imageEnvironment.SEALPOST_HOST, "0.0.0.0");
  let refused = "";
  try {
    settingsFrom(imageEnvironment);
  } catch (error) {
    refused = String(error);
  }
  match(refused, /name its place with --seal-file/);
  // The twin: with a seal it starts.
  equal(settingsFrom({ ...imageEnvironment, SEALPOST_SEAL: "passphrase" }).host, "0.0.0.0");
  equal(read(".dockerignore"), read(".containerignore"));
});

test("compose: read-only, no rights, secrets as files, and settings that start", () => {
  for (const file of yamlFiles.slice(0, 2)) {
    const [compose] = parseYaml(read(file));
    const services = at(compose, "services") as YamlMap;
    const ours = Object.entries(services).filter(([name]) => name.startsWith("sealpost"));
    equal(ours.length, file.includes("postgres") ? 2 : 1);
    for (const [name, service] of ours) {
      equal(at(service, "read_only"), true, name);
      deepEqual(at(service, "cap_drop"), ["ALL"]);
      deepEqual(at(service, "security_opt"), ["no-new-privileges:true"]);
      deepEqual(at(service, "tmpfs"), ["/tmp"]);
      equal((at(service, "volumes") as unknown[]).length, 1);
      equal(at(service, "build", "dockerfile"), "Containerfile");
      const environment = at(service, "environment") as Record<string, string>;
      const settings = settingsFrom({ ...imageEnvironment, ...environment });
      equal(settings.seal, "passphrase");
      equal(settings.store.startsWith("postgres://"), file.includes("postgres"));
      const secrets = at(service, "secrets") as string[];
      const used = stringsIn(environment).filter((value) => value.startsWith("/run/secrets/"));
      deepEqual(used.map((value) => value.slice(13)).toSorted(), secrets.toSorted());
      for (const secret of secrets) at(compose, "secrets", secret, "file");
    }
  }
});

test("kubernetes: probes, a budget that fits, no rights, names that meet", () => {
  const documents = parseYaml(read("deploy/kubernetes/sealpost.yaml"));
  const of = (kind: string) => documents.filter((one) => at(one, "kind") === kind);
  const [set] = of("StatefulSet");
  const [budget] = of("PodDisruptionBudget");
  const labels = at(set, "spec", "template", "metadata", "labels");
  deepEqual(at(set, "spec", "selector", "matchLabels"), labels);
  deepEqual(at(budget, "spec", "selector", "matchLabels"), labels);
  ok((at(budget, "spec", "minAvailable") as number) < (at(set, "spec", "replicas") as number));
  const services = of("Service");
  for (const service of services) deepEqual(at(service, "spec", "selector"), labels);
  const names = services.map((service) => at(service, "metadata", "name"));
  ok(names.includes(at(set, "spec", "serviceName") as string));
  const pod = at(set, "spec", "template", "spec");
  equal(at(pod, "securityContext", "runAsNonRoot"), true);
  equal(at(pod, "enableServiceLinks"), false);
  const container = at(pod, "containers", 0);
  equal(at(container, "securityContext", "readOnlyRootFilesystem"), true);
  equal(at(container, "securityContext", "allowPrivilegeEscalation"), false);
  for (const probe of ["startupProbe", "readinessProbe"]) {
    equal(at(container, probe, "httpGet", "path"), "/_sealpost/health");
    equal(at(container, probe, "httpGet", "scheme"), "HTTPS");
  }
  at(container, "livenessProbe", "tcpSocket", "port");
  const volumes = [
    ...(at(pod, "volumes") as unknown[]).map((volume) => at(volume, "name")),
    ...(at(set, "spec", "volumeClaimTemplates") as unknown[]).map((one) =>
      at(one, "metadata", "name"),
    ),
  ];
  const mounts = at(container, "volumeMounts") as unknown[];
  deepEqual(mounts.map((mount) => at(mount, "name")).toSorted(), volumes.toSorted());
  const environment: Record<string, string> = {};
  for (const entry of at(container, "env") as YamlMap[]) {
    if (typeof entry.value === "string") environment[`${entry.name}`] = entry.value;
  }
  const { tlsCert, tlsKey, seal } = settingsFrom({ ...imageEnvironment, ...environment });
  deepEqual([tlsCert, tlsKey, seal], ["/tls/tls.crt", "/tls/tls.key", "passphrase"]);
});

test("python's YAML reads the same", (t) => {
  const check = spawnSync("python3", ["-c", "import yaml"]);
  if (check.status !== 0) return t.skip("no python3 with yaml");
  const program =
    "import json,sys,yaml;print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
  for (const file of yamlFiles) {
    const { stdout } = spawnSync("python3", ["-c", program, join(root, file)]);
    deepEqual(parseYaml(read(file)), JSON.parse(stdout.toString()), file);
  }
});

test("systemd reads the units", (t) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) return t.skip("no systemd");
  const folder = mkdtempSync(join(tmpdir(), "sealpost-unit-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const verify = (text: string) => {
    const unit = join(folder, "sealpost.service");
    // The command is not installed here.
    writeFileSync(unit, text.replaceAll("/usr/bin/sealpost", process.execPath));
    const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", unit]);
    return `${stdout}${stderr}`
      .split("\n")
      .filter((line) => line.includes("sealpost.service"))
      .join("\n");
  };
  const unit = read("deploy/systemd/sealpost.service");
  equal(verify(unit), "");
  match(
    verify(unit.replace("ProtectSystem=strict", "ProtectSystem=a lot")),
    /protect system value/,
  );
});

test("systemd's users and folders are those that the unit names", (t) => {
  const unit = read("deploy/systemd/sealpost.service");
  const environment = Object.fromEntries(
    [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );
  const { user, keyUser, data, sealFile } = settingsFrom(environment);
  const folders = read("deploy/systemd/sealpost.tmpfiles");
  match(folders, new RegExp(`^d ${data} 0700 ${user} ${user} `, "m"));
  match(folders, new RegExp(`^d ${sealFile.replace(/\/[^/]+$/, "")} 0700 ${keyUser} `, "m"));
  const users = read("deploy/systemd/sealpost.sysusers");
  for (const name of [user, keyUser]) match(users, new RegExp(`^u ${name} - `, "m"));
  if (spawnSync("systemd-sysusers", ["--version"]).status !== 0) return t.skip("no systemd");
  const file = join(root, "deploy/systemd/sealpost.sysusers");
  const made = spawnSync("systemd-sysusers", ["--dry-run", file], { encoding: "utf8" });
  equal(made.status, 0, made.stderr);
});

test("the dashboard asks for metrics that a server has", async () => {
  const dashboard = JSON.parse(read("deploy/grafana/sealpost.json"));
  const server = await startTestServer();
  try {
    const { sqs, sns, kms } = server.rootClients;
    const { KeyMetadata } = await kms.createKey({});
    const Attributes = { KmsMasterKeyId: KeyMetadata?.KeyId ?? "" };
    const { QueueUrl } = await sqs.createQueue({ QueueName: "q", Attributes });
    await sqs.sendMessage({ QueueUrl, MessageBody: "one" });
    const { TopicArn } = await sns.createTopic({ Name: "t" });
    await sns.publish({ TopicArn, Message: "one" });
    const metrics = await (await fetch(`${server.httpUrl}/_sealpost/metrics`)).text();
    const has = (name: string) => metrics.split("\n").some((line) => line.startsWith(name));
    const asked: string[] = dashboard.panels.flatMap((panel: { targets: { expr: string }[] }) =>
      panel.targets.flatMap(({ expr }) => expr.match(/\b(sealpost|process)_[a-z_]+/g) ?? []),
    );
    ok(asked.length >= 10);
    deepEqual(
      [...new Set(asked)].filter((name) => !has(name)),
      [],
    );
    equal(has("sealpost_no_such_metric"), false);
  } finally {
    await server.stop();
  }
});
