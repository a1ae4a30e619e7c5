/**
 * `node bench/profile-load.ts DIR [seconds]`: SendMessage load on a running server, for
 * profilers.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runScript } from "./processes.ts";
import { createResources } from "./setup.ts";
import { workloads } from "./workloads.ts";

const [folder = "", seconds = "4", which = "0"] = process.argv.slice(2);
const facts = JSON.parse(readFileSync(join(folder, "server.json"), "utf8"));
const credentials = readFileSync(join(folder, "credentials"), "utf8");
const value = (name: string) => new RegExp(`${name}\\s*=\\s*(\\S+)`).exec(credentials)?.[1] ?? "";
const server = {
  ...facts,
  ca: readFileSync(facts.caFile, "utf8"),
  accessKeyId: value("aws_access_key_id"),
  secretAccessKey: value("aws_secret_access_key"),
};
const { kms } = await createResources(server);
const target = workloads(server, "SSE-KMS", kms)[Number(which)];
if (!target) throw new Error("no such workload");
const plan = {
  ...target,
  host: "127.0.0.1",
  connections: 64,
  warmUpMs: 1000,
  measureMs: Number(seconds) * 1000,
  region: "us-east-1",
};
console.log(await runScript("generator.ts", plan));
