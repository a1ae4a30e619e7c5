import { join } from "node:path";
import { idleShare } from "./footprint.ts";
import {
  askAll,
  type Crowd,
  fillQueue,
  makeCrowd,
  makeFilteredTopic,
  makeUserWithPolicies,
} from "./growth-seed.ts";
import { type LoadTarget, type MeasureOptions, measureAll, median, type Slice } from "./measure.ts";
import { kms, type RequestSpec, sqs, type Work } from "./requests.ts";
import { inRounds } from "./results.ts";
import { type BenchServer, startServer } from "./server.ts";
import { clientsOf, createSome } from "./setup.ts";
import { placeOf, publish, sendTen } from "./workloads.ts";

/** How the cost of one operation grows with the number of something. */
export interface Curve {
  readonly of: string;
  readonly operation: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly size: number;
  /** CPU of the server's processes for each message that was moved. */
  readonly microseconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  /** Cost for each cost of the smallest size, in the same round. */
  readonly cost: number;
  readonly failed: number;
  readonly firstFailure: string;
}

export interface GrowthOptions extends MeasureOptions {
  readonly folder: string;
  readonly rounds: number;
  /** Sizes of more than this are not measured; for trials. */
  readonly sizeMax: number;
  readonly only: string | undefined;
}

const timing = { warmUpMs: 500, measureMs: 1_500 };
const flags = ["--allow-insecure-sse"];

export interface Growth {
  readonly curves: readonly Curve[];
  readonly idle: { readonly queues: number; readonly share: number } | undefined;
}

/** One size of one dimension, and what is asked there. */
interface Sized {
  readonly of: string;
  readonly operation: string;
  readonly size: number;
  readonly target: LoadTarget;
}

/** All curves, each of them with its sizes in turn. */
export async function measureGrowth(options: GrowthOptions): Promise<Growth> {
  const parts = { messages: growMessages, others: growOthers };
  const curves: Curve[] = [];
  let idle: Growth["idle"];
  for (const [name, grow] of Object.entries(parts)) {
    const servers: BenchServer[] = [];
    const start = async (size: number): Promise<[BenchServer, string]> => {
      const folder = join(options.folder, `${name}-${size}`);
      const server = await startServer(folder, flags);
      servers.push(server);
      return [server, folder];
    };
    try {
      const { sized, idleOf } = await grow(options, start);
      curves.push(...(await measureSized(sized, options)));
      if (idleOf) idle = { queues: idleOf.size, share: await idleShare(idleOf.pid, 10_000) };
    } finally {
      for (const server of servers) await server.stop();
    }
  }
  return { curves, idle };
}

type Start = (size: number) => Promise<[server: BenchServer, folder: string]>;

interface Grown {
  readonly sized: readonly Sized[];
  /** A server that is left alone at the end. */
  readonly idleOf?: { readonly pid: number; readonly size: number };
}

async function measureSized(all: readonly Sized[], options: GrowthOptions): Promise<Curve[]> {
  const wanted = all.filter(({ of, operation }) =>
    `growth: ${of}, ${operation}`.toLowerCase().includes((options.only ?? "").toLowerCase()),
  );
  // Every resource once: what the first request for it costs is no matter of their number.
  for (const { target } of wanted) await warmUp(target, options);
  const targets = wanted.map(({ target }) => target);
  const slices = await measureAll(targets, options.rounds, timing, options);
  const curves = new Map<string, Sized[]>();
  for (const sized of wanted) {
    const name = `${sized.of}, ${sized.operation}`;
    curves.set(name, [...(curves.get(name) ?? []), sized]);
  }
  return [...curves.values()].map((points) => curveOf(points, slices));
}

async function warmUp(target: LoadTarget, options: GrowthOptions): Promise<void> {
  const { work } = target;
  const once: Work = work.kind === "turns" ? { ...work, once: true } : work;
  const measureMs = work.kind === "turns" ? 120_000 : 500;
  await measureAll(
    [{ ...target, work: once }],
    1,
    { warmUpMs: 0, measureMs },
    {
      ...options,
      progress: () => undefined,
    },
  );
}

function curveOf(points: readonly Sized[], slices: ReadonlyMap<LoadTarget, Slice[]>): Curve {
  const of = (sized: Sized | undefined) => (sized && slices.get(sized.target)) ?? [];
  const smallest = of(points[0]);
  const cost = (slice: Slice) => (slice.serverCpuSeconds / Math.max(1, slice.messages)) * 1e6;
  return {
    of: points[0]?.of ?? "",
    operation: points[0]?.operation ?? "",
    points: points.map((sized) => {
      const own = of(sized);
      return {
        size: sized.size,
        microseconds: median(own.map(cost)),
        perSecond: median(own.map(({ messages, seconds }) => messages / seconds)),
        p50Ms: median(own.map(({ p50Ms }) => p50Ms)),
        cost: median(inRounds(own, smallest, (slice, first) => cost(slice) / cost(first))),
        failed: own.reduce((sum, { failed }) => sum + failed, 0),
        firstFailure: own.find(({ firstFailure }) => firstFailure !== "")?.firstFailure ?? "",
      };
    }),
  };
}

const upTo = (sizes: readonly number[], { sizeMax }: GrowthOptions) =>
  sizes.filter((size) => size <= sizeMax);

/** Servers with a backlog in one encrypted queue. */
async function growMessages(options: GrowthOptions, start: Start): Promise<Grown> {
  const sized: Sized[] = [];
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
async function growOthers(options: GrowthOptions, start: Start): Promise<Grown> {
  const sized: Sized[] = [];
  let last: BenchServer | undefined;
  const sizes = upTo([10, 1_000, 10_000], options);
  for (const size of sizes) {
    options.progress?.(`growth: ${size} queues, topics, keys and users`);
    const [server, folder] = await start(size);
    const crowd = await makeCrowd(server, folder, size);
    sized.push(...(await inTurnOf(server, crowd)));
    if (last === undefined) {
      sized.push(...(await growPolicies(server, options)));
      sized.push(...(await growSubscriptions(server, options)));
    }
    last = server;
  }
  const size = sizes.at(-1);
  return { sized, ...(last && size && { idleOf: { pid: last.pid, size } }) };
}

async function inTurnOf(server: BenchServer, crowd: Crowd): Promise<Sized[]> {
  const { size, queueUrls, topicArns, keyIds, users } = crowd;
  const { queueUrl, drainUrl } = await createSome(clientsOf(server), "SSE-KMS", []);
  const place = placeOf(server, "https");
  const MessageBody = "x".repeat(1024);
  const send = (QueueUrl: string) => sqs("SendMessage", { QueueUrl, MessageBody });
  const turns = (requests: readonly RequestSpec[]): Work => ({ kind: "turns", requests });
  const works: readonly (readonly [of: string, operation: string, work: Work, fill?: Work])[] = [
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
  return works.map(([of, operation, work, fill]) => {
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
  for (const size of upTo([1, 10, 50, 200], options)) {
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
  for (const size of upTo([1, 10, 100, 1_000], options)) {
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
