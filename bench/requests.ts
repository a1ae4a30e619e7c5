import { signedHeaders } from "../tests/harness/sign.ts";

/** What the generator does. */
export interface Plan {
  readonly host: string;
  readonly port: number;
  readonly ca?: string;
  /** Of the server, whose CPU time is read when measuring begins and ends; 0: not read. */
  readonly pid: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly work: Work;
  /** Open loop: requests that become due in a second. Without: each connection always has one. */
  readonly ratePerSecond?: number;
}

/** What a generator measured. */
export interface Loaded {
  /** Requests answered with 200 and without failed entries. */
  readonly completed: number;
  readonly messages: number;
  readonly failed: number;
  readonly firstFailure: string;
  /** Receives that found nothing: the queue ran dry. */
  readonly empty: number;
  readonly seconds: number;
  /** Of the generator. */
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Open loop: how late the generator itself woke up. */
  readonly lagP99Ms: number;
  readonly answers?: readonly string[];
}

export type Work =
  /** One signed request, sent again and again, or so many times: the server verifies each one. */
  | {
      readonly kind: "fixed";
      readonly request: RequestSpec;
      readonly messagesEach: number;
      readonly times?: number;
    }
  /** Signed requests, one after the other; again from the first, or each of them once. */
  | {
      readonly kind: "turns";
      readonly requests: readonly RequestSpec[];
      readonly once?: boolean;
      /** Whether the bodies of the answers are wanted, in the order of their arrival. */
      readonly keep?: boolean;
    }
  /** ReceiveMessage of 10, then DeleteMessageBatch of what came. */
  | { readonly kind: "drain"; readonly queueUrl: string };

export interface RequestSpec {
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Who signs, if it is not the plan's. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** One connection's sequence of requests. */
export interface Conversation {
  /** Undefined when nothing is left to be sent. */
  next(): Buffer | undefined;
  /** Answers how many messages this answer moved. */
  take(status: number, body: Buffer): number;
  /** Whether the last answer was a receive that found nothing. */
  readonly foundNothing?: boolean;
}

export interface Signer {
  conversation(): Conversation;
}

export function createSigner(plan: Plan): Signer {
  const { work } = plan;
  if (work.kind === "fixed") {
    const bytes = signed(plan, work.request);
    let left = work.times ?? Number.POSITIVE_INFINITY;
    const next = (): Buffer | undefined => {
      left -= 1;
      return left < 0 ? undefined : bytes;
    };
    return {
      conversation: () => ({
        next,
        take: (status) => (status === 200 ? work.messagesEach : 0),
      }),
    };
  }
  if (work.kind === "turns") {
    const requests = work.requests.map((request) => signed(plan, request));
    return inTurn(requests, work.once ?? false);
  }
  const receive = signed(
    plan,
    sqs("ReceiveMessage", { QueueUrl: work.queueUrl, MaxNumberOfMessages: 10 }),
  );
  return { conversation: () => drain(plan, work.queueUrl, receive) };
}

/** All connections draw from one sequence. */
function inTurn(all: readonly Buffer[], once: boolean): Signer {
  let index = 0;
  const next = (): Buffer | undefined => {
    if (index === all.length && !once) index = 0;
    index += 1;
    return all[index - 1];
  };
  return { conversation: () => ({ next, take: (status) => (status === 200 ? 1 : 0) }) };
}

function drain(plan: Plan, queueUrl: string, receive: Buffer): Conversation {
  let handles: string[] = [];
  let foundNothing = false;
  return {
    get foundNothing() {
      return foundNothing;
    },
    next() {
      if (handles.length === 0) return receive;
      const Entries = handles.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
      return signed(plan, sqs("DeleteMessageBatch", { QueueUrl: queueUrl, Entries }));
    },
    take(status, body) {
      const deleted = status === 200 ? handles.length : 0;
      foundNothing = false;
      if (handles.length > 0 || status !== 200) {
        handles = [];
        return deleted;
      }
      const { Messages = [] }: { Messages?: { ReceiptHandle: string }[] } = JSON.parse(
        body.toString(),
      );
      handles = Messages.map(({ ReceiptHandle }) => ReceiptHandle);
      foundNothing = handles.length === 0;
      return 0;
    },
  };
}

export function sqs(operation: string, input: object): RequestSpec {
  return json("sqs", "1.0", `AmazonSQS.${operation}`, input);
}

export function kms(operation: string, input: object): RequestSpec {
  return json("kms", "1.1", `TrentService.${operation}`, input);
}

function json(service: string, version: string, target: string, input: object): RequestSpec {
  const headers = { "content-type": `application/x-amz-json-${version}`, "x-amz-target": target };
  return { service, headers, body: JSON.stringify(input) };
}

export function sns(parameters: Readonly<Record<string, string>>): RequestSpec {
  return query("sns", "2010-03-31", parameters);
}

export function iam(parameters: Readonly<Record<string, string>>): RequestSpec {
  return query("iam", "2010-05-08", parameters);
}

function query(
  service: string,
  Version: string,
  parameters: Readonly<Record<string, string>>,
): RequestSpec {
  return {
    service,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ Version, ...parameters }).toString(),
  };
}

/** Headers of a request, its signature among them; good for a quarter of an hour. */
export function signedHead(plan: Plan, request: RequestSpec): Record<string, string> {
  const { accessKeyId, secretAccessKey } = request.credentials ?? plan;
  return signedHeaders({
    method: "POST",
    url: `${plan.ca ? "https" : "http"}://localhost:${plan.port}/`,
    service: request.service,
    region: plan.region,
    headers: request.headers,
    body: request.body,
    accessKeyId,
    secretAccessKey,
  });
}

function signed(plan: Plan, request: RequestSpec): Buffer {
  const headers = Object.entries(signedHead(plan, request));
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `content-length: ${Buffer.byteLength(request.body)}\r\n`;
  return Buffer.from(`POST / HTTP/1.1\r\n${lines.join("")}${length}\r\n${request.body}`);
}
