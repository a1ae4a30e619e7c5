import { createRequire } from "node:module";
import type { Schema } from "../../../src/wire/schema.ts";
import type { Protocol, WireReply, WireRequest } from "../../../src/wire/service.ts";

/** The parts of an SDK client that the tests use; all six packages have this form. */
interface Client {
  send(command: object): Promise<Record<string, unknown>>;
  destroy(): void;
}

interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const clientNames: Readonly<Record<string, string>> = {
  sns: "SNS",
  sqs: "SQS",
  kms: "KMS",
  iam: "IAM",
  sts: "STS",
  cloudtrail: "CloudTrail",
};

/** An SDK client without a network: it hands over what it would send and reads what it is given. */
export interface SdkPeer {
  /** Sends `input` and answers what the SDK made of our reply. */
  exchange(
    operation: string,
    input: object,
    reply: (request: WireRequest) => WireReply,
  ): Promise<Record<string, unknown>>;
  close(): void;
}

export function sdkPeer(service: string, protocol: Protocol): SdkPeer {
  const require = createRequire(import.meta.url);
  const exports = require(`@aws-sdk/client-${service}`);
  let reply: ((request: WireRequest) => WireReply) | undefined;
  const requestHandler = {
    handle: async (request: HttpRequest) => {
      if (reply === undefined) throw new Error("the SDK sent a request of its own");
      const { status, headers: sent, body } = reply(wireRequest(request));
      // Node's HTTP client gives names in lower case.
      const lowered = Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]);
      const headers = Object.fromEntries(lowered);
      return { response: { statusCode: status, headers, body: Buffer.from(body) } };
    },
  };
  const client: Client = new exports[`${clientNames[service]}Client`]({
    region: "us-east-1",
    endpoint: "http://localhost:4566",
    credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
    md5: false,
    requestHandler,
    // The SDK reads bodies through these; ours are bytes already.
    streamCollector: async (body: Uint8Array) => body,
    ...(service === "sqs" && protocol === "query" && legacyQueue(require)),
  });
  return {
    exchange: async (operation, input, answer) => {
      reply = answer;
      const { $metadata: _, ...output } = await client.send(
        new exports[`${operation}Command`](input),
      );
      return output;
    },
    close: () => client.destroy(),
  };
}

/**
 * SQS clients of today speak JSON, but their schemas still hold the names of the query protocol:
 * the SDK's own query codec, given these schemas, sends what clients sent before 2024.
 */
function legacyQueue(require: NodeJS.Require) {
  const inside = createRequire(require.resolve("@aws-sdk/client-sqs"));
  return {
    protocol: inside("@aws-sdk/core/protocols").AwsQueryProtocol,
    protocolSettings: {
      defaultNamespace: "com.amazonaws.sqs",
      errorTypeRegistries: [],
      xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/",
      version: "2012-11-05",
    },
  };
}

function wireRequest(request: HttpRequest): WireRequest {
  return {
    method: request.method,
    path: request.path,
    query: "",
    headers: new Map(Object.entries(request.headers)),
    // A body of bytes pretends to be a string as well; a plain view of it does not.
    body:
      request.body instanceof Uint8Array
        ? Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength)
        : Buffer.from(request.body ?? ""),
  };
}

/** A value in wire form as the SDK takes it: Dates and byte arrays. */
export function toSdk(schema: Schema, value: unknown): unknown {
  switch (schema.kind) {
    case "structure":
      return Object.fromEntries(
        schema.members.flatMap(({ name, schema: target }) => {
          const member = (value as Readonly<Record<string, unknown>>)[name];
          return member === undefined ? [] : [[name, toSdk(target, member)]];
        }),
      );
    case "list":
      return (value as readonly unknown[]).map((item) => toSdk(schema.item, item));
    case "map":
      return Object.fromEntries(
        Object.entries(value as object).map(([key, entry]) => [key, toSdk(schema.value, entry)]),
      );
    case "simple":
      if (schema.type === "timestamp") return new Date(value as number);
      return schema.type === "blob" ? new Uint8Array(value as Buffer) : value;
  }
}

/**
 * One comparable form for values of either side: times as numbers, bytes as hex, maps as sorted
 * entries (keys such as `__proto__` then compare like any other).
 */
export function comparable(schema: Schema, value: unknown, dropEmpty = false): unknown {
  switch (schema.kind) {
    case "structure": {
      const source = value as Readonly<Record<string, unknown>>;
      const members = schema.members.flatMap(({ name, schema: target }) => {
        const member = source[name];
        if (member === undefined || (dropEmpty && isEmpty(target, member))) return [];
        return [[name, comparable(target, member, dropEmpty)]];
      });
      return { members, others: Object.keys(source).filter((name) => !known(schema, name)) };
    }
    case "list":
      return (value as readonly unknown[]).map((item) => comparable(schema.item, item, dropEmpty));
    case "map":
      return Object.entries(value as object)
        .map(([key, entry]) => [key, comparable(schema.value, entry, dropEmpty)])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    case "simple":
      if (value instanceof Date) return value.getTime();
      return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  }
}

function known(schema: Schema & { kind: "structure" }, name: string): boolean {
  return schema.members.some((member) => member.name === name);
}

function isEmpty(schema: Schema, value: unknown): boolean {
  if (schema.kind === "list") return (value as readonly unknown[]).length === 0;
  return schema.kind === "map" && Object.keys(value as object).length === 0;
}
