import { runGenerator } from "./generators.ts";
import { defaultConnections, planOf } from "./measure.ts";
import { run } from "./processes.ts";
import { iam, kms, type RequestSpec, sns, sqs, type Work } from "./requests.ts";
import { type BenchServer, binFile } from "./server.ts";
import { queuePolicy } from "./setup.ts";
import { placeOf, sendTen } from "./workloads.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** AWS: an account holds 5,000 users. More of them need more accounts. */
const usersOfAccountMax = 5_000;

/** Sends each request once; throws if one of them fails. Answers the bodies, in no order. */
export async function askAll(
  server: BenchServer,
  requests: readonly RequestSpec[],
): Promise<readonly string[]> {
  return load(server, { kind: "turns", requests, once: true, keep: true });
}

async function load(server: BenchServer, work: Work): Promise<readonly string[]> {
  if (work.kind === "turns" && work.requests.length === 0) return [];
  const target = { name: "", ...placeOf(server, "https"), work, connections: defaultConnections };
  const times = { warmUpMs: 0, measureMs: 1_800_000 };
  const { failed, firstFailure, answers } = await runGenerator("own", planOf(target, work, times));
  if (failed > 0) throw new Error(`seeding: ${failed} failed, the first with ${firstFailure}`);
  return answers ?? [];
}

export async function fillQueue(server: BenchServer, queueUrl: string, messages: number) {
  const work = sendTen(queueUrl);
  if (work.kind === "fixed" && messages > 0) {
    await load(server, { ...work, times: Math.ceil(messages / 10) });
  }
}

/** So many of each: what requests in turn may be about. */
export interface Crowd {
  readonly size: number;
  readonly queueUrls: readonly string[];
  readonly topicArns: readonly string[];
  readonly keyIds: readonly string[];
  readonly users: readonly User[];
}

export interface User {
  readonly credentials: Credentials;
  /** A queue of the user's account. */
  readonly queueUrl: string;
}

/**
 * Queues, each behind a topic of its own; keys; users, each with a policy and an access key. Only
 * those that are wanted; topics bring their queues.
 */
export async function makeCrowd(
  server: BenchServer,
  dataFolder: string,
  size: number,
  wanted: readonly ("queues" | "topics" | "keys" | "users")[],
): Promise<Crowd> {
  const numbers = Array.from({ length: size }, (_, index) => index);
  const ask = (wants: boolean, request: (index: number) => RequestSpec) =>
    wants ? askAll(server, numbers.map(request)) : [];
  const [topicArn = ""] = await createTopics(server, ["crowd-0"]);
  const arnOf = (index: number) => topicArn.replace(/-0$/, `-${index}`);
  const queueArnOf = (index: number) => arnOf(index).replace(":sns:", ":sqs:");
  const topics = wanted.includes("topics");
  const queues = await ask(topics || wanted.includes("queues"), (index) =>
    createQueue(queueArnOf(index), arnOf(index)),
  );
  await ask(topics, (index) => sns({ Action: "CreateTopic", Name: `crowd-${index}` }));
  await ask(topics, (index) => subscribe(arnOf(index), queueArnOf(index)));
  const keys = await ask(wanted.includes("keys"), () => kms("CreateKey", {}));
  return {
    size,
    queueUrls: queues.map((text) => JSON.parse(text).QueueUrl),
    topicArns: topics ? numbers.map(arnOf) : [],
    keyIds: keys.map((text) => JSON.parse(text).KeyMetadata.KeyId),
    users: wanted.includes("users") ? await makeUsers(server, dataFolder, size) : [],
  };
}

async function createTopics(server: BenchServer, names: readonly string[]): Promise<string[]> {
  const answers = await askAll(
    server,
    names.map((Name) => sns({ Action: "CreateTopic", Name })),
  );
  return answers.map((text) => element(text, "TopicArn"));
}

function createQueue(queueArn: string, topicArn: string): RequestSpec {
  return sqs("CreateQueue", {
    QueueName: queueArn.split(":")[5],
    Attributes: { SqsManagedSseEnabled: "false", Policy: queuePolicy(queueArn, topicArn) },
  });
}

export function subscribe(TopicArn: string, Endpoint: string, FilterPolicy?: string): RequestSpec {
  const attributes: Record<string, string> = {
    "Attributes.entry.1.key": "RawMessageDelivery",
    "Attributes.entry.1.value": "true",
  };
  if (FilterPolicy !== undefined) {
    attributes["Attributes.entry.2.key"] = "FilterPolicy";
    attributes["Attributes.entry.2.value"] = FilterPolicy;
  }
  return sns({ Action: "Subscribe", TopicArn, Protocol: "sqs", Endpoint, ...attributes });
}

async function makeUsers(
  server: BenchServer,
  dataFolder: string,
  size: number,
): Promise<readonly User[]> {
  const users: User[] = [];
  for (let made = 0; made < size; made += usersOfAccountMax) {
    const root = made === 0 ? undefined : await makeAccount(dataFolder, `account-${made}`);
    const ask = (requests: readonly RequestSpec[]) =>
      askAll(
        server,
        requests.map((request) => ({ ...request, ...(root && { credentials: root }) })),
      );
    const Attributes = { SqsManagedSseEnabled: "false" };
    const [text = "{}"] = await ask([sqs("CreateQueue", { QueueName: "users", Attributes })]);
    const { QueueUrl: queueUrl = "" } = JSON.parse(text);
    const names = Array.from(
      { length: Math.min(usersOfAccountMax, size - made) },
      (_, index) => `user-${index}`,
    );
    await ask(names.map((UserName) => iam({ Action: "CreateUser", UserName })));
    await ask(names.map((name) => putPolicy(name, "send", sendTo("users"))));
    const keys = await ask(names.map((UserName) => iam({ Action: "CreateAccessKey", UserName })));
    users.push(...keys.map((answer) => ({ credentials: keyOf(answer), queueUrl })));
  }
  return users;
}

async function makeAccount(dataFolder: string, name: string): Promise<Credentials> {
  const flags = ["account", "create", name, "--data", dataFolder, "--format", "json"];
  const { accessKeyId, secretAccessKey } = JSON.parse(
    await run(process.execPath, [binFile, ...flags]),
  );
  return { accessKeyId, secretAccessKey };
}

export function sendTo(queueName: string): string {
  const Resource = `arn:aws:sqs:*:*:${queueName}`;
  const Statement = { Effect: "Allow", Action: "sqs:SendMessage", Resource };
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

function putPolicy(UserName: string, PolicyName: string, PolicyDocument: string): RequestSpec {
  return iam({ Action: "PutUserPolicy", UserName, PolicyName, PolicyDocument });
}

function keyOf(answer: string): Credentials {
  return {
    accessKeyId: element(answer, "AccessKeyId"),
    secretAccessKey: element(answer, "SecretAccessKey"),
  };
}

export function element(text: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "";
}

/** As many as a user may have attached, and a group; what is more of them lies in line. */
const attachedMax = 10;
const inGroupMax = 20;

/**
 * A user whom so many policies are about: one of the user's own allows the sending, the others are
 * about sending to other queues; ten are attached, the rest is those of groups.
 */
export async function makeUserWithPolicies(
  server: BenchServer,
  policies: number,
  queueName: string,
): Promise<Credentials> {
  const UserName = `with-${policies}`;
  const others = Array.from({ length: policies - 1 }, (_, index) => {
    const place = index - attachedMax;
    const GroupName = place < 0 ? "" : `${UserName}-group-${Math.floor(place / inGroupMax)}`;
    const inLine = place % inGroupMax >= attachedMax;
    const PolicyDocument = sendTo(`other-${index}-*`);
    return { PolicyName: `${UserName}-${index}`, PolicyDocument, GroupName, inLine };
  });
  const groups = [...new Set(others.map(({ GroupName }) => GroupName))].filter((it) => it !== "");
  const managed = others.filter(({ inLine }) => !inLine);
  const ask = (requests: readonly RequestSpec[]) => askAll(server, requests);
  await ask([
    iam({ Action: "CreateUser", UserName }),
    ...groups.map((GroupName) => iam({ Action: "CreateGroup", GroupName })),
  ]);
  const made = await ask(
    managed.map(({ PolicyName, PolicyDocument }) =>
      iam({ Action: "CreatePolicy", PolicyName, PolicyDocument }),
    ),
  );
  const arns = new Map(made.map((text) => [element(text, "PolicyName"), element(text, "Arn")]));
  await ask([
    putPolicy(UserName, "own", sendTo(queueName)),
    ...groups.map((GroupName) => iam({ Action: "AddUserToGroup", GroupName, UserName })),
    ...others.map(({ PolicyName, PolicyDocument, GroupName, inLine }) => {
      if (inLine) return iam({ Action: "PutGroupPolicy", GroupName, PolicyName, PolicyDocument });
      const PolicyArn = arns.get(PolicyName) ?? "";
      return GroupName === ""
        ? iam({ Action: "AttachUserPolicy", UserName, PolicyArn })
        : iam({ Action: "AttachGroupPolicy", GroupName, PolicyArn });
    }),
  ]);
  const [key = ""] = await ask([iam({ Action: "CreateAccessKey", UserName })]);
  return keyOf(key);
}

/** Filters of all kinds that no message passes whose kind is `wanted`. */
const othersFilters: readonly ((index: number) => unknown)[] = [
  (index) => `other-${index}`,
  (index) => ({ prefix: `other-${index}-` }),
  (index) => ({ suffix: `-other-${index}` }),
  (index) => ({ "equals-ignore-case": `Other-${index}` }),
  (index) => ({ "anything-but": ["wanted", index] }),
  (index) => ({ numeric: [">", index, "<=", index + 1] }),
];

/** A topic with one queue that wants what is `wanted`, and others that never do. */
export async function makeFilteredTopic(
  server: BenchServer,
  subscriptions: number,
): Promise<string> {
  const [topicArn = ""] = await createTopics(server, [`filtered-${subscriptions}`]);
  const queueArn = topicArn.replace(":sns:", ":sqs:");
  await askAll(server, [createQueue(queueArn, topicArn)]);
  const others = Array.from({ length: subscriptions - 1 }, (_, index) => {
    const rule = othersFilters[index % othersFilters.length]?.(index);
    return subscribe(topicArn, `${queueArn}-${index}`, JSON.stringify({ kind: [rule] }));
  });
  const wanted = subscribe(topicArn, queueArn, JSON.stringify({ kind: ["wanted"] }));
  await askAll(server, [wanted, ...others]);
  return topicArn;
}
