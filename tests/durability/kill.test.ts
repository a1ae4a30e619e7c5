// Goal: kill -9 at any moment loses nothing acknowledged and brings nothing back that was deleted;
// a publish is in all its queues or in none; calls that hand out secrets are in the audit; the key
// process goes with its server, and the server comes up again as if nothing had been.
// Method: rounds of a real `sealpost serve`, with one gateway thread or two, under load, killed at
// random moments; after each its queues are drained and compared with what the clients were told. The twin: a store from which one
// message was taken, and one promise that was never made, are found out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { withDatabase } from "../encryption/database.ts";
import { delegateTo, document, snsMayUseKey } from "../encryption/scene.ts";
import { sendRaw } from "../harness/raw.ts";
import { signedHeaders } from "../harness/sign.ts";
import { type ChildServer, isAlive, newDataFolder, removeFolder, startChild } from "./child.ts";
import { Ledger } from "./ledger.ts";
import { type Load, type LoadPlan, remove, startLoad } from "./load.ts";

const rounds = process.env.SEALPOST_TEST_LONG ? 60 : 6;
const seed = Number(process.env.SEALPOST_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const random = randomOf(seed);
const accountId = "123456789012";
const flags = ["--clock", "virtual", "--log-level", "warn"];
const visibilitySeconds = 600;

let folder: string;
let server: ChildServer;
before(async () => {
  folder = newDataFolder();
  server = await startChild(folder, flags);
});
after(async () => {
  await server?.kill();
  removeFolder(folder);
});

/** Mulberry32: small, seeded, good enough to pick moments. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Plan = Omit<LoadPlan, "clients" | "round">;

async function prepare(): Promise<Plan> {
  const { kms, sqs, sns } = server.clients;
  const Policy = document([delegateTo(accountId), snsMayUseKey()], "*");
  const { KeyMetadata } = await kms.createKey({ Policy });
  const keyId = KeyMetadata?.KeyId ?? "";
  const { TopicArn = "" } = await sns.createTopic({
    Name: "all",
    Attributes: { KmsMasterKeyId: keyId },
  });
  const encryption = {
    kms: { KmsMasterKeyId: keyId, KmsDataKeyReusePeriodSeconds: "60" },
    owned: { SqsManagedSseEnabled: "true" },
    none: { SqsManagedSseEnabled: "false" },
  };
  const paths = new Map<string, string>();
  for (const [QueueName, own] of Object.entries(encryption)) {
    const arn = `arn:aws:sqs:us-east-1:${accountId}:${QueueName}`;
    const sender = { Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage" };
    const VisibilityTimeout = String(visibilitySeconds);
    const Attributes = { ...own, VisibilityTimeout, Policy: document([sender], arn) };
    const { QueueUrl = "" } = await sqs.createQueue({ QueueName, Attributes });
    paths.set(QueueName, new URL(QueueUrl).pathname);
    const raw = { RawMessageDelivery: "true" };
    await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: arn, Attributes: raw });
  }
  return { ledger: new Ledger([...paths.keys()]), paths, topicArn: TopicArn, keyId, random };
}

async function advance(seconds: number): Promise<void> {
  const url = `${server.httpsUrl}/_sealpost/clock`;
  const body = JSON.stringify({ advanceSeconds: seconds });
  const request = {
    method: "POST",
    url,
    service: "sealpost",
    region: "us-east-1",
    body,
    headers: { "content-type": "application/json" },
    ...server.root,
  };
  const answer = await sendRaw({ ...request, headers: signedHeaders(request), ca: server.ca });
  assert.equal(answer.status, 200, answer.body);
}

type Received = { readonly Body?: string; readonly ReceiptHandle?: string };

/** Everything in every queue; all of it is hidden after that. */
async function drain({ paths }: Plan): Promise<ReadonlyMap<string, readonly Received[]>> {
  await advance(visibilitySeconds + 1);
  const drained = new Map<string, readonly Received[]>();
  for (const [queue, QueueUrl] of paths) {
    const all: Received[] = [];
    for (;;) {
      const request = { QueueUrl, MaxNumberOfMessages: 10 };
      const { Messages = [] } = await server.clients.sqs.receiveMessage(request);
      if (Messages.length === 0) break;
      all.push(...Messages);
    }
    drained.set(queue, all);
  }
  return drained;
}

const bodiesOf = (drained: ReadonlyMap<string, readonly Received[]>) =>
  new Map([...drained].map(([queue, all]) => [queue, all.map(({ Body = "" }) => Body)]));

async function auditedCalls(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const LookupAttributes = [
    { AttributeKey: "EventName" as const, AttributeValue: "GenerateDataKey" },
  ];
  let NextToken: string | undefined;
  do {
    const page = await server.clients.cloudtrail.lookupEvents({ LookupAttributes, NextToken });
    for (const { CloudTrailEvent = "{}" } of page.Events ?? []) {
      const { requestParameters } = JSON.parse(CloudTrailEvent) as {
        requestParameters?: { encryptionContext?: { call?: string } };
      };
      found.add(requestParameters?.encryptionContext?.call ?? "");
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found;
}

async function requireManagement(load: Load): Promise<void> {
  const audited = await auditedCalls();
  assert.deepEqual(
    load.kmsCalls.filter((name) => !audited.has(name)),
    [],
  );
  for (const QueueName of load.queuesMade.slice(-5)) {
    await server.clients.sqs.getQueueUrl({ QueueName });
  }
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 250 && isAlive(pid); i++) {
    await delay(20);
  }
  assert.equal(isAlive(pid), false, "the key process outlives its server");
}

/** By turns with one gateway thread and with two. */
async function round(plan: Plan, n: number): Promise<void> {
  const name = `r${n}`;
  const load = startLoad({ ...plan, clients: server.clients, round: name });
  const aliveMs = random() * 850;
  const atLeast = plan.ledger.count().promised + 60;
  while (plan.ledger.count().promised < atLeast) await delay(5);
  await delay(aliveMs);
  const keyProcess = server.keyProcessPid();
  await server.kill();
  await load.ended();
  await gone(keyProcess);
  server = await startChild(folder, [...flags, "--threads", n % 2 === 0 ? "2" : "1"]);
  const drained = await drain(plan);
  const where = `${name}, killed ${aliveMs.toFixed()} ms after its start of load, seed ${seed}`;
  assert.deepEqual(plan.ledger.broken(bodiesOf(drained)), [], where);
  await requireManagement(load);
  // What was drained is deleted, and must stay away in all rounds to come.
  for (const [queue, all] of drained) {
    for (let at = 0; at < all.length; at += 10) {
      await remove({ ...plan, clients: server.clients }, queue, all.slice(at, at + 10));
    }
  }
  assert.doesNotMatch(server.output(), /"level":"error"|"bug"/, where);
}

test(`${rounds} rounds of kill -9 under load, seed ${seed}`, async (context) => {
  const plan = await prepare();
  for (let n = 0; n < rounds; n++) await round(plan, n);
  const { promised, deleted } = plan.ledger.count();
  context.diagnostic(`${promised} promised, ${deleted} deleted, over ${rounds} kills`);
  assert.ok(promised > rounds * 50 && deleted > rounds * 10, "there was load");

  // The twin: the same comparison finds a message that was taken out and a promise never made.
  const { sqs } = server.clients;
  for (const n of [1, 2]) {
    await sqs.sendMessage({ QueueUrl: plan.paths.get("none"), MessageBody: `twin-${n}` });
  }
  assert.equal(await server.stop(), 0);
  withDatabase(folder, (database) => {
    const [result] = database.prepare("PRAGMA integrity_check").all();
    assert.equal(result?.integrity_check, "ok");
    assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
    const last = "(SELECT max(sequence) FROM message_bodies)";
    assert.equal(
      Number(database.prepare(`DELETE FROM message_bodies WHERE sequence = ${last}`).run().changes),
      1,
    );
  });
  server = await startChild(folder, flags);
  const { ledger } = plan;
  for (const n of [1, 2]) ledger.acknowledged("none", `twin-${n}`);
  ledger.acknowledged("kms", "never");
  const found = ledger.broken(bodiesOf(await drain(plan)));
  assert.deepEqual(found, ["kms: lost never", "none: damaged twin-1", "none: lost twin-2"]);
});
