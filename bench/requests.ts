import { signedHeaders } from "../tests/harness/sign.ts";

/** What the generator does. */
export interface Plan {
  readonly host: string;
  readonly port: number;
  readonly ca?: string;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly work: Work;
}

export type Work =
  /** One signed request, sent again and again: the server verifies each one. */
  | { readonly kind: "fixed"; readonly request: RequestSpec; readonly messagesEach: number }
  /** Signed requests, one after the other and again from the first. */
  | { readonly kind: "turns"; readonly requests: readonly RequestSpec[] }
  /** ReceiveMessage of 10, then DeleteMessageBatch of what came. */
  | { readonly kind: "drain"; readonly queueUrl: string };

export interface RequestSpec {
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection's sequence of requests. */
export interface Conversation {
  next(): Buffer;
  /** Answers how many messages this answer moved. */
  take(status: number, body: Buffer): number;
}

export interface Signer {
  conversation(index: number): Conversation;
}

export function createSigner(plan: Plan): Signer {
  const { work } = plan;
  if (work.kind === "fixed") {
    const bytes = signed(plan, work.request);
    return {
      conversation: () => ({
        next: () => bytes,
        take: (status) => (status === 200 ? work.messagesEach : 0),
      }),
    };
  }
  if (work.kind === "turns") return inTurn(work.requests.map((request) => signed(plan, request)));
  const receive = signed(
    plan,
    sqs("ReceiveMessage", { QueueUrl: work.queueUrl, MaxNumberOfMessages: 10 }),
  );
  return { conversation: () => drain(plan, work.queueUrl, receive) };
}

/** All connections draw from one sequence. */
function inTurn(all: readonly Buffer[]): Signer {
  let index = 0;
  const next = (): Buffer => {
    index = (index + 1) % all.length;
    return all[index] ?? Buffer.alloc(0);
  };
  return { conversation: () => ({ next, take: (status) => (status === 200 ? 1 : 0) }) };
}

function drain(plan: Plan, queueUrl: string, receive: Buffer): Conversation {
  let handles: string[] = [];
  return {
    next() {
      if (handles.length === 0) return receive;
      const Entries = handles.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
      return signed(plan, sqs("DeleteMessageBatch", { QueueUrl: queueUrl, Entries }));
    },
    take(status, body) {
      const deleted = status === 200 ? handles.length : 0;
      if (handles.length > 0) {
        handles = [];
        return deleted;
      }
      const { Messages = [] }: { Messages?: { ReceiptHandle: string }[] } = JSON.parse(
        body.toString(),
      );
      handles = Messages.map(({ ReceiptHandle }) => ReceiptHandle);
      return 0;
    },
  };
}

export function sqs(operation: string, input: object): RequestSpec {
  return {
    service: "sqs",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `AmazonSQS.${operation}`,
    },
    body: JSON.stringify(input),
  };
}

export function sns(parameters: Readonly<Record<string, string>>): RequestSpec {
  return {
    service: "sns",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ Version: "2010-03-31", ...parameters }).toString(),
  };
}

function signed(plan: Plan, request: RequestSpec): Buffer {
  const url = `${plan.ca ? "https" : "http"}://localhost:${plan.port}/`;
  const headers = signedHeaders({
    method: "POST",
    url,
    service: request.service,
    region: plan.region,
    headers: request.headers,
    body: request.body,
    accessKeyId: plan.accessKeyId,
    secretAccessKey: plan.secretAccessKey,
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `content-length: ${Buffer.byteLength(request.body)}\r\n`;
  return Buffer.from(`POST / HTTP/1.1\r\n${lines.join("")}${length}\r\n${request.body}`);
}
