// Goal: for every event source of the documents doctor says whether it could publish, and what is
// missing. Method: policies set with real clients; the statements that are offered are pasted, and
// the answer changes to yes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SourceAnswer, SourcesAnswer } from "../../src/doctor/sources.ts";
import { delegateTo, newScene, type Scene, snsMayUseKey } from "../encryption/scene.ts";
import { doctor, paste } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

async function sources(topic: string, ...more: string[]): Promise<SourcesAnswer> {
  const argv = ["sources", "--topic", topic, ...more];
  const { code, answer, err } = await doctor<SourcesAnswer>(scene.server, ...argv);
  assert.ok(answer, err);
  assert.equal(code, answer.allowed ? 0 : 1);
  return answer;
}

async function source(topic: string, name: string): Promise<SourceAnswer> {
  const [one, ...others] = (await sources(topic, "--source", name)).sources;
  assert.equal(others.length, 0);
  assert.ok(one);
  return one;
}

const services = [
  "cloudwatch",
  "events",
  "dynamodb",
  "s3",
  "glacier",
  "redshift",
  "ses",
  "codecommit",
  "dms",
  "ds",
  "importexport",
];
const byRole = [
  "autoscaling",
  "elastictranscoder",
  "codepipeline",
  "config",
  "elasticbeanstalk",
  "iot",
];
const principal = (name: string) => `${name}.amazonaws.com`;

test("all sources are listed, by the principal or the role that each needs", async () => {
  const topic = await scene.topic("all");
  const { sources: list, key } = await sources(topic);
  assert.equal(key, null);
  const of = (needs: string) =>
    list.filter((one) => one.needs === needs).map((one) => one.principal);
  assert.deepEqual(of("service"), services.map(principal));
  assert.deepEqual(of("role"), byRole.map(principal));
  for (const { allowed, needs } of list) {
    assert.equal(allowed, needs === "service", "without a key the default policy is enough");
  }
});

test("with a customer's key each service needs its statement, and no more than that", async () => {
  const key = await scene.key("services");
  const topic = await scene.topic("services", { KmsMasterKeyId: key.alias });
  for (const name of services) {
    const before = await source(topic, principal(name));
    assert.equal(before.allowed, false, name);
    assert.deepEqual(
      before.missing.map(({ attachTo }) => attachTo),
      [`key policy of ${key.arn}`],
    );
    const [missing] = before.missing;
    assert.ok(missing);
    assert.deepEqual(missing.statement.Principal, { Service: principal(name) });
    assert.deepEqual(missing.statement.Action, ["kms:GenerateDataKey*", "kms:Decrypt"]);
    const narrowed = { StringEquals: { "aws:SourceAccount": scene.accountId } };
    assert.deepEqual(missing.statement.Condition, name === "events" ? undefined : narrowed);
    await paste(root(), missing);
    assert.equal((await source(topic, principal(name))).allowed, true, name);
  }
});

const root = () => scene.server.rootClients;

test("EventBridge: a condition on the source in the key policy keeps its events away", async () => {
  const admits = (name: string) => ({
    Principal: { Service: principal(name) },
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    Condition: { StringEquals: { "aws:SourceAccount": scene.accountId } },
  });
  const key = await scene.key(
    "bridge",
    delegateTo(scene.accountId),
    admits("events"),
    admits("cloudwatch"),
  );
  const topic = await scene.topic("bridge", { KmsMasterKeyId: key.alias });
  const { allowed, reason, missing } = await source(topic, principal("events"));
  assert.equal(allowed, false);
  assert.match(reason, /EventBridge sends neither aws:SourceArn nor aws:SourceAccount/);
  assert.match(reason, /the request has no aws:SourceAccount/);
  assert.equal(missing[0]?.statement.Condition, undefined);
  assert.equal((await source(topic, principal("cloudwatch"))).allowed, true, "the twin");
});

test("alias/aws/sns can never serve another service", async () => {
  const topic = await scene.topic("managed", { KmsMasterKeyId: "alias/aws/sns" });
  const answer = await sources(topic);
  for (const { principal: name, needs, allowed, reason, missing } of answer.sources) {
    assert.equal(allowed, false, name);
    if (needs === "role") continue;
    assert.match(reason, /alias\/aws\/sns is a key of AWS.*never another service/);
    assert.deepEqual(missing, [], "nothing that could be pasted");
  }
});

test("a source that policies name is found; another bucket is not let in by it", async () => {
  const bucket = "arn:aws:s3:::photos";
  const only = { ArnLike: { "aws:SourceArn": bucket } };
  const statement = { Principal: { Service: principal("s3") }, Condition: only };
  const key = await scene.key("bucket", delegateTo(scene.accountId), {
    ...statement,
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
  });
  const topic = await scene.topic("bucket", { KmsMasterKeyId: key.alias });
  const found = await source(topic, principal("s3"));
  assert.equal(found.allowed, true);
  assert.equal(found.as, `s3.amazonaws.com for ${bucket}`);
  const Statement = {
    ...{ Effect: "Allow", Action: "sns:Publish", Resource: topic, ...statement },
    Condition: { ArnLike: { "aws:SourceArn": `${bucket}-other` } },
  };
  const AttributeValue = JSON.stringify({ Version: "2012-10-17", Statement });
  const set = { TopicArn: topic, AttributeName: "Policy", AttributeValue };
  await root().sns.setTopicAttributes(set);
  assert.equal((await source(topic, principal("s3"))).allowed, false, "not one bucket for both");
});

test("role-based sources need a role that trusts them, may publish and may use the key", async () => {
  const key = await scene.key("role", delegateTo(scene.accountId), snsMayUseKey());
  const topic = await scene.topic("role", { KmsMasterKeyId: key.alias });
  const without = await source(topic, principal("config"));
  assert.match(
    without.reason,
    /there is no role in account \d+ that trusts config\.amazonaws\.com/,
  );
  assert.deepEqual(
    without.missing.map(({ statement }) => statement.Action),
    ["sns:Publish", ["kms:GenerateDataKey*", "kms:Decrypt"]],
  );
  const trust = { Effect: "Allow", Principal: { Service: principal("config") } };
  await root().iam.createRole({
    RoleName: "recorder",
    AssumeRolePolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: { ...trust, Action: "sts:AssumeRole" },
    }),
  });
  const role = `arn:aws:iam::${scene.accountId}:role/recorder`;
  const bare = await source(topic, principal("config"));
  assert.equal(bare.as, role);
  assert.deepEqual(
    new Set(bare.missing.map(({ attachTo }) => attachTo)),
    new Set([`identity policy of ${role}`]),
  );
  await root().iam.putRolePolicy({
    RoleName: "recorder",
    PolicyName: "publish",
    PolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: bare.missing.map(({ statement }) => statement),
    }),
  });
  assert.equal((await source(topic, principal("config"))).allowed, true);
  assert.equal((await source(topic, principal("iot"))).allowed, false, "the twin: not trusted");
});

test("an unknown source is refused, not silently nothing", async () => {
  const topic = await scene.topic("unknown");
  const { code, err } = await doctor(scene.server, "sources", "--topic", topic, "--source", "x");
  assert.equal(code, 1);
  assert.match(err, /x is no event source/);
});
