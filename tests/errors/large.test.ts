import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { signedHeaders } from "../harness/sign.ts";

// Goal: what is wrong with a large request is told as exactly as with a small one, and good ones
// beside it lose nothing. Method: signed requests whose bytes are written to a TLS socket as they
// are, in two pieces, the same connection going on with a good message wherever it is kept.

const kib = 1024;
const mebibyte = kib * kib;

let server: TestServer;
let QueueUrl = "";
const stored: string[] = [];

before(async () => {
  server = await startTestServer();
  const created = await server.rootClients.sqs.createQueue({ QueueName: "large" });
  QueueUrl = created.QueueUrl ?? "";
});

after(() => server.stop());

interface Sending {
  readonly body: Buffer;
  readonly service?: string;
  readonly target?: string;
  /** What the head says, if not the truth. */
  readonly announcedBytes?: number;
}

function bytesOf(sending: Sending): Buffer {
  const { body, service = "sqs", target = "AmazonSQS.SendMessage" } = sending;
  const headers = signedHeaders({
    method: "POST",
    url: server.httpsUrl,
    service,
    region: server.region,
    headers: {
      "content-type": `application/x-amz-json-1.${service === "sqs" ? 0 : 1}`,
      "x-amz-target": target,
    },
    body,
    ...server.root,
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `content-length: ${sending.announcedBytes ?? body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\n${lines.join("")}${length}`), body]);
}

/** Writes it all, ends the sending side if told so, and answers all that came until the close. */
function exchange(bytes: Buffer, end = false): Promise<string> {
  const { hostname, port } = new URL(server.httpsUrl);
  const socket = connect({ host: hostname, port: Number(port), ca: server.ca });
  let text = "";
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      // Both answers of a connection that was kept.
      if (statuses(text).length === 2) socket.destroy();
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => resolve(text));
    socket.write(bytes.subarray(0, 20_000));
    if (end) socket.end(bytes.subarray(20_000));
    else socket.write(bytes.subarray(20_000));
  });
}

function statuses(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
}

function message(text: string): Buffer {
  return Buffer.from(JSON.stringify({ QueueUrl, MessageBody: text }));
}

/** A good message, which must be there in the end. */
function good(): Buffer {
  const text = `${stored.length}`.padEnd(64 * kib, "g");
  stored.push(text);
  return bytesOf({ body: message(text) });
}

const whole = () => message("é".repeat(128 * kib));

function notUtf8(): Buffer {
  const body = whole();
  body[200_001] = 0xff;
  return body;
}

function deep(depth: number): Buffer {
  const text = JSON.stringify('[\\"'.repeat(40 * kib));
  return Buffer.from(`{"x":${text},"y":${"[".repeat(depth)}${"]".repeat(depth)}}`);
}

function batch(...sizes: number[]): Sending {
  const Entries = sizes.map((size, Id) => ({ Id: String(Id), MessageBody: "x".repeat(size) }));
  const body = Buffer.from(JSON.stringify({ QueueUrl, Entries }));
  return { body, target: "AmazonSQS.SendMessageBatch" };
}

const refused: readonly (readonly [string, () => Sending, RegExp])[] = [
  ["JSON that is cut off", () => ({ body: whole().subarray(0, -2) }), /not valid JSON/],
  ["JSON cut within a character", () => ({ body: whole().subarray(0, -3) }), /not valid UTF-8/],
  ["bytes that are no UTF-8", () => ({ body: notUtf8() }), /not valid UTF-8/],
  ["deep nesting behind a text", () => ({ body: deep(65) }), /nested too deep/],
  [
    "a control character at the end",
    () => ({ body: message(`${"x".repeat(256 * kib)}\u0001`) }),
    /InvalidMessageContents","message":"Invalid binary character '#x1' was found/,
  ],
  [
    "a message of 1 MiB and a byte",
    () => ({ body: message("x".repeat(mebibyte + 1)) }),
    /InvalidParameterValueException".* Reason: Message must be shorter than 1048576 bytes\./,
  ],
  [
    "a batch of 1 MiB and a byte",
    () => batch(mebibyte, 1),
    /BatchRequestTooLong".*longer than 1048576 bytes\. You have sent 1048577 bytes\./,
  ],
];

for (const [title, sending, wanted] of refused) {
  test(`${title}: told exactly, and the connection goes on`, async () => {
    const text = await exchange(Buffer.concat([bytesOf(sending()), good()]));
    assert.match(text, wanted);
    assert.deepEqual(statuses(text), ["400", "200"]);
  });
}

test("a length below the truth is a body that was not signed; what follows is not read", async () => {
  const text = await exchange(
    Buffer.concat([
      bytesOf({ body: whole(), announcedBytes: 200_000 }),
      bytesOf({ body: whole() }),
    ]),
  );
  assert.match(text, /InvalidSignatureException/);
  assert.ok(!statuses(text).includes("200"), text);
});

test("a length beyond the truth: a sender who ends is gone, and told nothing", async () => {
  const sending = { body: whole(), announcedBytes: 300_000 };
  assert.equal(await exchange(bytesOf(sending), true), "");
});

test("bodies longer than any may be are refused by what they announce", async () => {
  const kms = { service: "kms", target: "TrentService.Encrypt" };
  for (const sending of [
    { body: whole(), announcedBytes: 8 * mebibyte + 1 },
    { body: whole(), announcedBytes: 64 * 1024 ** 3 },
    { ...kms, body: Buffer.alloc(mebibyte + 1) },
  ]) {
    const text = await exchange(bytesOf(sending));
    assert.deepEqual(statuses(text), ["413"]);
    assert.match(text, /RequestEntityTooLarge/);
  }
});

test("what was acknowledged is there, whole, and nothing else", async () => {
  const longest = "y".repeat(mebibyte);
  assert.deepEqual(
    statuses(await exchange(Buffer.concat([bytesOf({ body: message(longest) }), good()]))),
    ["200", "200"],
  );
  stored.push(longest);
  const found: (string | undefined)[] = [];
  const { sqs } = server.rootClients;
  for (;;) {
    const { Messages } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    if (!Messages) break;
    found.push(...Messages.map(({ Body }) => Body));
  }
  assert.deepEqual(found.toSorted(), stored.toSorted());
});
