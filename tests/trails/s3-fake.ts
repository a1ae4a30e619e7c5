import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { signedHeaders } from "../harness/sign.ts";

export interface FakeObject {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The part of the S3 wire that trails and `aws cloudtrail validate-logs` use, in memory. */
export interface FakeS3 {
  readonly url: string;
  readonly objects: Map<string, FakeObject>;
  readonly requests: string[];
  /** Answers with this status to every PUT while it is set. */
  failPuts: number | undefined;
  close(): void;
}

export const s3Credentials = {
  accessKeyId: "AKIAS3EXAMPLE0000000",
  secretAccessKey: "s3/secret+example",
};

export async function startFakeS3(buckets: readonly string[]): Promise<FakeS3> {
  const objects = new Map<string, FakeObject>();
  const requests: string[] = [];
  const fake: { failPuts: number | undefined } = { failPuts: undefined };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      requests.push(`${request.method} ${request.url}`);
      const answer = respond(request, body, { buckets, objects, failPuts: fake.failPuts });
      response.writeHead(answer.status, answer.headers);
      response.end(request.method === "HEAD" ? undefined : answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    objects,
    requests,
    get failPuts() {
      return fake.failPuts;
    },
    set failPuts(status) {
      fake.failPuts = status;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

function error(status: number, code: string): Answer {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code></Error>` };
}

function respond(
  request: IncomingMessage,
  body: Buffer,
  state: {
    readonly buckets: readonly string[];
    readonly objects: Map<string, FakeObject>;
    readonly failPuts: number | undefined;
  },
): Answer {
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  if (!signatureHolds(request, url, body)) return error(403, "SignatureDoesNotMatch");
  const [, bucket = "", ...rest] = decodeURIComponent(url.pathname).split("/");
  const key = rest.join("/");
  if (!state.buckets.includes(bucket)) return error(404, "NoSuchBucket");
  const name = `${bucket}/${key}`;
  if (request.method === "PUT") {
    if (state.failPuts !== undefined) return error(state.failPuts, "InternalError");
    state.objects.set(name, { body, metadata: metadataOf(request) });
    return { status: 200, headers: { etag: '"0"' } };
  }
  if (key === "" && url.searchParams.has("location")) {
    return { status: 200, body: `<?xml version="1.0"?><LocationConstraint/>` };
  }
  if (key === "")
    return request.method === "HEAD" ? { status: 200 } : list(url, bucket, state.objects);
  const object = state.objects.get(name);
  if (!object) return error(404, "NoSuchKey");
  const headers = Object.fromEntries(
    Object.entries(object.metadata).map(([meta, value]) => [`x-amz-meta-${meta}`, value]),
  );
  return { status: 200, headers, body: object.body };
}

function metadataOf(request: IncomingMessage): Record<string, string> {
  const prefix = "x-amz-meta-";
  const found = Object.entries(request.headers).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(
    found.map(([name, value]) => [name.slice(prefix.length), String(value)]),
  );
}

const pageKeys = 3;

/** Both forms of listing, in pages of few keys. */
function list(url: URL, bucket: string, objects: ReadonlyMap<string, FakeObject>): Answer {
  const given = (name: string) => url.searchParams.get(name) ?? "";
  const after = given("continuation-token") || given("marker");
  const keys = [...objects.keys()]
    .filter((name) => name.startsWith(`${bucket}/`))
    .map((name) => name.slice(bucket.length + 1))
    .filter((key) => key.startsWith(given("prefix")) && key > after)
    .sort();
  const page = keys.slice(0, pageKeys);
  const more = keys.length > page.length;
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
  const contents = page.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`);
  const body =
    `<?xml version="1.0"?><ListBucketResult><Name>${bucket}</Name>` +
    `<IsTruncated>${more}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

/** Checked by a second implementation that knows the same secret. */
function signatureHolds(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const { authorization = "" } = request.headers;
  const found = /Credential=([^/]+)\/\d{8}\/([^/]+)\/s3\/.*SignedHeaders=([^,]+),/.exec(
    authorization,
  );
  const [, accessKeyId, region = "", names = ""] = found ?? [];
  // Other clients have keys and ways of their own (unsigned payloads); ours names no agent.
  if (request.headers["user-agent"] !== undefined) return true;
  if (accessKeyId !== s3Credentials.accessKeyId) return false;
  const headers = Object.fromEntries(
    names
      .split(";")
      .filter((name) => name !== "host" && name !== "x-amz-date")
      .map((name) => [name, String(request.headers[name])]),
  );
  const stamp = String(request.headers["x-amz-date"]);
  const iso = stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const { authorization: expected } = signedHeaders({
    method: request.method ?? "GET",
    url: url.href,
    service: "s3",
    region,
    headers,
    body,
    ...s3Credentials,
    date: new Date(iso),
  });
  return expected === authorization;
}
