import { type Case, kib, type LoadCase, longerFor, variantName } from "./cases.ts";
import type { LoadTarget } from "./measure.ts";
import { type RequestSpec, sns, sqs, type Work } from "./requests.ts";
import type { ServerAddress } from "./server.ts";
import type { Encryption, Resources, Topic } from "./setup.ts";

/** A server that is asked, by one scheme. */
export type Place = Omit<LoadTarget, "name" | "work">;

export function placeOf(server: ServerAddress, scheme: "http" | "https"): Place {
  const { pid, ca, accessKeyId, secretAccessKey } = server;
  const port = Number(new URL(server.httpsUrl).port);
  return { pid, port, ca: scheme === "https" ? ca : undefined, accessKeyId, secretAccessKey };
}

/** One kind of request, and where its messages come to lie. */
interface Operation {
  readonly name: string;
  readonly work: Work;
  readonly fill?: Work;
  readonly lands?: readonly string[];
}

export const fixed = (request: RequestSpec, messagesEach = 1): Work => ({
  kind: "fixed",
  request,
  messagesEach,
});

const body = (bytes: number): string => "x".repeat(bytes);

function send(queueUrl: string, bytes: number): Work {
  return fixed(sqs("SendMessage", { QueueUrl: queueUrl, MessageBody: body(bytes) }));
}

export function sendTen(queueUrl: string): Work {
  const Entries = Array.from({ length: 10 }, (_, i) => ({
    Id: String(i),
    MessageBody: body(kib),
  }));
  return fixed(sqs("SendMessageBatch", { QueueUrl: queueUrl, Entries }), 10);
}

/** AWS: what a topic takes. */
const publishedBytesMax = 256 * kib;

export function publish(topicArn: string, kind?: string, bytes = kib): Work {
  const attribute = "MessageAttributes.entry.1";
  const attributes: Record<string, string> =
    kind === undefined
      ? {}
      : {
          [`${attribute}.Name`]: "kind",
          [`${attribute}.Value.DataType`]: "String",
          [`${attribute}.Value.StringValue`]: kind,
        };
  const Message = body(bytes);
  return fixed(sns({ Action: "Publish", TopicArn: topicArn, Message, ...attributes }));
}

function publishTen(topicArn: string): Work {
  const entries = Array.from({ length: 10 }, (_, index) => {
    const entry = `PublishBatchRequestEntries.member.${index + 1}`;
    return [
      [`${entry}.Id`, String(index)],
      [`${entry}.Message`, body(kib)],
    ];
  });
  const parameters = Object.fromEntries(entries.flat());
  return fixed(sns({ Action: "PublishBatch", TopicArn: topicArn, ...parameters }), 10);
}

/** What an emulator can be asked as well: raw delivery, bodies of 1 KiB. */
function commonOperations({ queueUrl, drainUrl, topics }: Resources): Operation[] {
  const { one, three, hundred, filtered } = topics;
  const to = (name: string, topic: Topic | undefined, work: (arn: string) => Work) =>
    topic ? [{ name, work: work(topic.arn), lands: topic.queueUrls }] : [];
  return [
    { name: "SendMessage", work: send(queueUrl, kib), lands: [queueUrl] },
    { name: "SendMessageBatch of 10", work: sendTen(queueUrl), lands: [queueUrl] },
    {
      name: "Receive 10 + DeleteBatch",
      work: { kind: "drain", queueUrl: drainUrl },
      fill: sendTen(drainUrl),
    },
    ...to("Publish to 1 queue", one, publish),
    ...to("Publish to 3 queues", three, publish),
    ...to("Publish to 100 queues", hundred, publish),
    ...to("PublishBatch of 10 to 3 queues", three, publishTen),
    ...to("Publish to 3 of 10 by filter", filtered && wanted(filtered), (arn) =>
      publish(arn, "wanted"),
    ),
  ];
}

function wanted(topic: Topic): Topic {
  return { ...topic, queueUrls: topic.queueUrls.slice(0, 3) };
}

/** Notifications in an envelope that is signed. */
function envelopedOperations({ topics }: Resources): Operation[] {
  const { signedOne, signedThree, signedDrain } = topics;
  const publishTo = (name: string, topic: Topic | undefined): Operation[] =>
    topic ? [{ name, work: publish(topic.arn), lands: topic.queueUrls }] : [];
  const [queueUrl] = signedDrain?.queueUrls ?? [];
  return [
    ...publishTo("Publish to 1 queue, enveloped", signedOne),
    ...publishTo("Publish to 3 queues, enveloped", signedThree),
    ...(signedDrain && queueUrl
      ? [
          {
            name: "Receive 10 + DeleteBatch, enveloped",
            work: { kind: "drain", queueUrl } as const,
            fill: publishTen(signedDrain.arn),
          },
        ]
      : []),
  ];
}

interface Wrapping {
  readonly subject: Case["subject"];
  readonly scheme: "http" | "https";
  readonly encryption: Encryption;
}

/** As a row: named, with its floor of the same scheme, connections and size. */
function caseOf(
  place: Place,
  { subject, scheme, encryption }: Wrapping,
  operation: Operation,
  short: boolean,
  { connections = 64, bodyBytes = kib } = {},
): LoadCase {
  const variant = variantName(connections, bodyBytes);
  const label = subject === "sealpost" ? encryption : subject;
  const { name, work, fill, lands } = operation;
  const shown = `${name}, ${scheme}, ${label}${variant}`;
  return {
    target: { ...place, name: shown, work, fill, connections, longer: longerFor(bodyBytes) },
    subject,
    operation: name,
    scheme,
    encryption,
    connections,
    bodyBytes,
    floor: `bare node:${scheme}${variant}`,
    short,
    lands: lands && { queueUrls: lands },
  };
}

const shortOf: Readonly<Record<string, RegExp>> = {
  "https SSE-KMS":
    /^(SendMessage|Receive 10 \+ DeleteBatch$|Publish to 3 queues$|Publish to 1 queue, env)/,
  "http SSE-KMS": /^(SendMessage$|Publish to 3 queues$)/,
  "https no SSE": /^SendMessage$/,
};

function isShort(scheme: "http" | "https", encryption: Encryption, operation: string): boolean {
  return shortOf[`${scheme} ${encryption}`]?.test(operation) ?? false;
}

/** Everything that both an emulator and we have, over plain HTTP. */
export function peerWorkloads(
  place: Place,
  subject: "fauxqs" | "moto",
  resources: Resources,
): LoadCase[] {
  const wrapping = { subject, scheme: "http", encryption: "no SSE" } as const;
  return commonOperations(resources).map((operation) => {
    const short = isShort("http", "SSE-KMS", operation.name) && subject === "fauxqs";
    const made = caseOf(place, wrapping, operation, short);
    const touched = operation.work.kind === "drain" ? [resources.drainUrl] : operation.lands;
    const purge = (QueueUrl: string) => sqs("PurgeQueue", { QueueUrl });
    // An emulator keeps all in memory; what the last slice sent shall not slow the next.
    const after = (touched ?? []).map(purge);
    return { ...made, target: { ...made.target, after }, lands: undefined };
  });
}

/** What we are asked, of one scheme and one kind of encryption. */
export function workloadsOf(
  server: ServerAddress,
  scheme: "http" | "https",
  encryption: Encryption,
  resources: Resources,
): LoadCase[] {
  const place = placeOf(server, scheme);
  const wrapping = { subject: "sealpost", scheme, encryption } as const;
  const operations = [...commonOperations(resources), ...envelopedOperations(resources)];
  return operations.map((operation) =>
    caseOf(place, wrapping, operation, isShort(scheme, encryption, operation.name)),
  );
}

/**
 * SendMessage and Publish with fewer and more connections, SendMessage and wide publications with
 * other sizes.
 */
export function variants(
  server: ServerAddress,
  scheme: "http" | "https",
  { queueUrl, topics }: Resources,
  asked: { readonly connections: readonly number[]; readonly sizes: readonly number[] },
): LoadCase[] {
  const place = placeOf(server, scheme);
  const wrapping = { subject: "sealpost", scheme, encryption: "SSE-KMS" } as const;
  const sending = (bytes: number): Operation => ({
    name: "SendMessage",
    work: send(queueUrl, bytes),
    lands: [queueUrl],
  });
  const publishing = [
    { name: "Publish to 1 queue", topic: topics.one },
    { name: "Publish to 1 queue, enveloped", topic: topics.signedOne },
  ].flatMap(({ name, topic }) =>
    topic ? [{ name, work: publish(topic.arn), lands: topic.queueUrls }] : [],
  );
  const fanningOut = (bytes: number): Operation[] =>
    [
      { name: "Publish to 3 queues", topic: topics.three, bytesMax: publishedBytesMax },
      { name: "Publish to 100 queues", topic: topics.hundred, bytesMax: publishedBytesMax },
      // An envelope of more would not fit into a queue's message.
      { name: "Publish to 3 queues, enveloped", topic: topics.signedThree, bytesMax: 64 * kib },
    ].flatMap(({ name, topic, bytesMax }) =>
      topic && bytes > kib && bytes <= bytesMax
        ? [{ name, work: publish(topic.arn, undefined, bytes), lands: topic.queueUrls }]
        : [],
    );
  return [
    ...asked.connections.flatMap((connections) =>
      [sending(kib), ...publishing].map((operation) =>
        caseOf(place, wrapping, operation, false, { connections }),
      ),
    ),
    ...asked.sizes.flatMap((bodyBytes) =>
      [sending(bodyBytes), ...fanningOut(bodyBytes)].map((operation) =>
        caseOf(place, wrapping, operation, false, { bodyBytes }),
      ),
    ),
  ];
}

/** The four that other benchmarks compare servers by, over HTTPS. */
export function workloads(
  server: ServerAddress,
  label: string,
  resources: Resources,
): LoadTarget[] {
  const names = [
    "SendMessage",
    "SendMessageBatch of 10",
    "Receive 10 + DeleteBatch",
    "Publish to 3 queues",
  ];
  return commonOperations(resources)
    .filter(({ name }) => names.includes(name))
    .map(({ name, work, fill }) => ({
      ...placeOf(server, "https"),
      name: `${name}, ${label}`,
      work,
      fill,
    }));
}
