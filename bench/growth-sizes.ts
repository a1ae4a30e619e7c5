import {
  askAll,
  type Crowd,
  fillQueue,
  makeCrowd,
  makeFilteredTopic,
  makeUserWithPolicies,
} from "./growth-seed.ts";
import type { LoadTarget, MeasureOptions } from "./measure.ts";
import { kms, type RequestSpec, sqs, type Work } from "./requests.ts";
import type { BenchServer } from "./server.ts";
import { clientsOf, createSome } from "./setup.ts";
import { placeOf, publish, sendTen } from "./workloads.ts";

export interface GrowthOptions extends MeasureOptions {
  readonly folder: string;
  readonly rounds: number;
  /** Sizes of more than this are not measured; for trials. */
  readonly sizeMax: number;
  readonly only: string | undefined;
}

/** What the curves are of, and what is asked for each. */
const operations = {
  "messages in the queue": ["SendMessage", "Receive 10 + DeleteBatch"],
  queues: [
    "SendMessage to one, SSE-KMS",
    "Receive 10 + DeleteBatch from one, SSE-KMS",
    "SendMessage to all in turn",
  ],
  topics: ["Publish to all in turn"],
  keys: ["GenerateDataKey of all in turn"],
  users: ["SendMessage by all in turn"],
  "policies of the user": ["SendMessage"],
  "subscriptions, of which 1 matches": ["Publish"],
} as const;

export type Dimension = keyof typeof operations;

export const titleOf = (of: Dimension, operation: string): string => `growth: ${of}, ${operation}`;

/** Names of the curves that hold the text. */
export function curveNames(only: string | undefined): string[] {
  return (Object.keys(operations) as Dimension[])
    .flatMap((of) => operations[of].map((operation) => titleOf(of, operation)))
    .filter((title) => title.toLowerCase().includes((only ?? "").toLowerCase()));
}

/** Whether any curve of this is wanted. */
function wants(of: Dimension, { only }: GrowthOptions): boolean {
  const names = curveNames(only);
  return operations[of].some((operation) => names.includes(titleOf(of, operation)));
}

/** One size of one dimension, and what is asked there. */
export interface Sized {
  readonly of: Dimension;
  readonly operation: string;
  readonly size: number;
  readonly target: LoadTarget;
}

export type Start = (size: number) => Promise<[server: BenchServer, folder: string]>;

export interface Grown {
  readonly sized: readonly Sized[];
  /** A server that is left alone at the end. */
  readonly idleOf?: { readonly pid: number; readonly size: number };
}

const upTo = (sizes: readonly number[], { sizeMax }: GrowthOptions) =>
  sizes.filter((size) => size <= sizeMax);

/** Servers with a backlog in one encrypted queue. */
export async function growMessages(options: GrowthOptions, start: Start): Promise<Grown> {
  const sized: Sized[] = [];
  if (!wants("messages in the queue", options)) return { sized };
  for (const size of upTo([0, 10_000, 100_000, 1_000_000], options)) {
    options.progress?.(`growth: a queue of ${size} messages`);
    const [server] = await start(size);
    const { queueUrl } = await createSome(clientsOf(server), "SSE-KMS", []);
    await fillQueue(server, queueUrl, size);
    const place = placeOf(server, "https");
    const send = sqs("SendMessage", { QueueUrl: queueUrl, MessageBody: "x".repeat(1024) });
    const works: readonly (readonly [operation: string, work: Work, fill?: Work])[] = [
      ["SendMessage", { kind: "fixed", request: send, messagesEach: 1 }],
      ["Receive 10 + DeleteBatch", { kind: "drain", queueUrl }, sendTen(queueUrl)],
    ];
    for (const [operation, work, fill] of works) {
      const name = `${operation}, ${size} messages`;
      const target: LoadTarget = { name, ...place, work, fill, generator: "own" };
      sized.push({ of: "messages in the queue", operation, size, target });
    }
  }
  return { sized };
}

/** Servers with so many queues, topics, keys and users; policies and filters on the smallest. */
export async function growOthers(options: GrowthOptions, start: Start): Promise<Grown> {
  const sized: Sized[] = [];
  let last: BenchServer | undefined;
  const crowds = (["queues", "topics", "keys", "users"] as const).filter((it) =>
    wants(it, options),
  );
  const sizes = crowds.length > 0 ? upTo([10, 1_000, 10_000], options) : [10];
  for (const size of sizes) {
    options.progress?.(`growth: ${size} queues, topics, keys and users`);
    const [server, folder] = await start(size);
    const crowd = await makeCrowd(server, folder, size, crowds);
    sized.push(...(await inTurnOf(server, crowd)));
    if (last === undefined) {
      sized.push(...(await growPolicies(server, options)));
      sized.push(...(await growSubscriptions(server, options)));
    }
    last = server;
  }
  const size = crowds.includes("queues") ? sizes.at(-1) : undefined;
  return { sized, ...(last && size && { idleOf: { pid: last.pid, size } }) };
}

async function inTurnOf(server: BenchServer, crowd: Crowd): Promise<Sized[]> {
  const { size, queueUrls, topicArns, keyIds, users } = crowd;
  const { queueUrl, drainUrl } = await createSome(clientsOf(server), "SSE-KMS", []);
  const place = placeOf(server, "https");
  const MessageBody = "x".repeat(1024);
  const send = (QueueUrl: string) => sqs("SendMessage", { QueueUrl, MessageBody });
  const turns = (requests: readonly RequestSpec[]): Work => ({ kind: "turns", requests });
  const works: readonly (readonly [of: Dimension, operation: string, work: Work, fill?: Work])[] = [
    [
      "queues",
      "SendMessage to one, SSE-KMS",
      { kind: "fixed", request: send(queueUrl), messagesEach: 1 },
    ],
    [
      "queues",
      "Receive 10 + DeleteBatch from one, SSE-KMS",
      { kind: "drain", queueUrl: drainUrl },
      sendTen(drainUrl),
    ],
    ["queues", "SendMessage to all in turn", turns(queueUrls.map(send))],
    [
      "topics",
      "Publish to all in turn",
      turns(topicArns.flatMap((arn) => requestOf(publish(arn)))),
    ],
    [
      "keys",
      "GenerateDataKey of all in turn",
      turns(keyIds.map((KeyId) => kms("GenerateDataKey", { KeyId, KeySpec: "AES_256" }))),
    ],
    [
      "users",
      "SendMessage by all in turn",
      turns(users.map(({ credentials, queueUrl: own }) => ({ ...send(own), credentials }))),
    ],
  ];
  return works.map(([of, operation, work, fill]): Sized => {
    const name = `${operation}, ${size} ${of}`;
    return { of, operation, size, target: { name, ...place, work, fill, generator: "own" } };
  });
}

function requestOf(work: Work): RequestSpec[] {
  return work.kind === "fixed" ? [work.request] : [];
}

async function growPolicies(server: BenchServer, options: GrowthOptions): Promise<Sized[]> {
  const [made = "{}"] = await askAll(server, [sqs("CreateQueue", { QueueName: "judged" })]);
  const { QueueUrl } = JSON.parse(made);
  const request = sqs("SendMessage", { QueueUrl, MessageBody: "x".repeat(1024) });
  const sized: Sized[] = [];
  const sizes = wants("policies of the user", options) ? [1, 10, 50, 200] : [];
  for (const size of upTo(sizes, options)) {
    const target: LoadTarget = {
      name: `SendMessage, ${size} policies`,
      ...placeOf(server, "https"),
      ...(await makeUserWithPolicies(server, size, "judged")),
      work: { kind: "fixed", request, messagesEach: 1 },
      generator: "own",
    };
    sized.push({ of: "policies of the user", operation: "SendMessage", size, target });
  }
  return sized;
}

/** A topic whose message one subscription wants, beside others whose filters do not match. */
async function growSubscriptions(server: BenchServer, options: GrowthOptions): Promise<Sized[]> {
  const sized: Sized[] = [];
  const sizes = wants("subscriptions, of which 1 matches", options) ? [1, 10, 100, 1_000] : [];
  for (const size of upTo(sizes, options)) {
    const target: LoadTarget = {
      name: `Publish, ${size} subscriptions`,
      ...placeOf(server, "https"),
      work: publish(await makeFilteredTopic(server, size), "wanted"),
      generator: "own",
    };
    sized.push({ of: "subscriptions, of which 1 matches", operation: "Publish", size, target });
  }
  return sized;
}
