// Goal: bad input gets the exact AWS error or a clean refusal, and the server keeps serving.
// Method: raw requests over real sockets against one whole server; after each, it still answers.
import assert from "node:assert/strict";
import net from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
let queueUrl = "";

before(async () => {
  server = await startTestServer();
  const { QueueUrl } = await server.rootClients.sqs.createQueue({ QueueName: "target" });
  queueUrl = QueueUrl ?? "";
});
after(() => server.stop());
afterEach(async () => {
  const { Account } = await server.rootClients.sts.getCallerIdentity({});
  assert.equal(Account, server.accountId, "the server keeps serving");
});

const jsonHeaders = (target: string) => ({
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": target,
});
const formHeaders = { "content-type": "application/x-www-form-urlencoded" };

describe("SQS over JSON", () => {
  const send = (body: string, target = "AmazonSQS.SendMessage") =>
    server.send({ service: "sqs", headers: jsonHeaders(target), body });

  const cases: readonly [string, string, RegExp][] = [
    ["bytes that are no JSON", "\u0000\u0001{{{", /SerializationException/],
    ["a truncated body", '{"QueueUrl":"http://x/1', /SerializationException/],
    ["a list where an object belongs", "[]", /SerializationException/],
    ["a number as a body", '{"QueueUrl":"q","MessageBody":{"a":1}}', /SerializationException/],
    ["nesting without end", `{"QueueUrl":${"[".repeat(60_000)}`, /SerializationException/],
    ["no members", "{}", /must contain the parameter QueueUrl/],
  ];
  for (const [name, body, expected] of cases) {
    test(name, async () => {
      const answer = await send(body);
      assert.equal(answer.status, 400, answer.body);
      assert.match(answer.body, expected);
    });
  }

  test("__proto__ and constructor are names like others", async () => {
    const attributes = '{"__proto__":{"DataType":"String","StringValue":"x"}}';
    const body = `{"QueueUrl":${JSON.stringify(queueUrl)},"MessageBody":"m","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"MessageAttributes":${attributes}}`;
    const answer = await send(body);
    assert.ok(answer.status === 200 || answer.status === 400, answer.body);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  test("an unknown operation", async () => {
    const answer = await send("{}", "AmazonSQS.DropTables");
    assert.equal(answer.status, 400);
    assert.match(answer.body, /UnknownOperationException/);
  });

  test("a message of one byte too many, and one of exactly the limit", async () => {
    const message = (bytes: number) =>
      JSON.stringify({ QueueUrl: queueUrl, MessageBody: "x".repeat(bytes) });
    const over = await send(message(1_048_577));
    assert.equal(over.status, 400);
    assert.match(over.body, /InvalidParameterValue/);
    assert.match(over.body, /Message must be shorter than 1048576 bytes/);
    assert.equal((await send(message(1_048_576))).status, 200);
  });

  test("characters that no message may have", async () => {
    const answer = await send(JSON.stringify({ QueueUrl: queueUrl, MessageBody: "a\u0000b" }));
    assert.equal(answer.status, 400);
    assert.match(answer.body, /InvalidMessageContents/);
  });
});

describe("query protocols", () => {
  test("an unknown action", async () => {
    const body = "Action=DropTables&Version=2010-03-31";
    const answer = await server.send({ service: "sns", headers: formHeaders, body });
    assert.equal(answer.status, 400);
    assert.match(answer.body, /<Code>InvalidAction<\/Code>/);
  });

  test("an operation that the model has and the server has not", async () => {
    const body = "Action=ListOriginationNumbers&Version=2010-03-31";
    const answer = await server.send({ service: "sns", headers: formHeaders, body });
    assert.equal(answer.status, 501);
    assert.match(answer.body, /ListOriginationNumbers/);
  });

  test("broken percent encoding and invalid UTF-8", async () => {
    for (const body of ["Action=%zz&Version=2010-03-31", "Action=%ff%fe&Version=2010-03-31"]) {
      const answer = await server.send({ service: "sns", headers: formHeaders, body });
      assert.equal(answer.status, 400, answer.body);
    }
  });

  test("an SNS message over 256 KiB", async () => {
    const { TopicArn = "" } = await server.rootClients.sns.createTopic({ Name: "sizes" });
    const publish = (bytes: number) =>
      server.send({
        service: "sns",
        headers: formHeaders,
        body: new URLSearchParams({
          Action: "Publish",
          Version: "2010-03-31",
          TopicArn,
          Message: "x".repeat(bytes),
        }).toString(),
      });
    const over = await publish(262_145);
    assert.equal(over.status, 400);
    assert.match(over.body, /<Code>InvalidParameter<\/Code>/);
    assert.match(over.body, /Message too long/);
    assert.equal((await publish(262_144)).status, 200);
  });
});

describe("authentication", () => {
  const identity = "Action=GetCallerIdentity&Version=2011-06-15";
  const ask = (more: Partial<Parameters<TestServer["send"]>[0]>) =>
    server.send({ service: "sts", headers: formHeaders, body: identity, ...more });

  test("an unknown access key", async () => {
    const answer = await ask({ accessKeyId: "AKIAUNKNOWN123456789" });
    assert.equal(answer.status, 403);
    assert.match(answer.body, /<Code>InvalidClientTokenId<\/Code>/);
  });

  test("a wrong secret", async () => {
    const answer = await ask({ secretAccessKey: "wrong" });
    assert.equal(answer.status, 403);
    assert.match(answer.body, /<Code>SignatureDoesNotMatch<\/Code>/);
  });

  test("the same in JSON", async () => {
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "TrentService.ListKeys",
    };
    const answer = await server.send({
      service: "kms",
      headers,
      body: "{}",
      secretAccessKey: "wrong",
    });
    assert.equal(answer.status, 400);
    assert.match(answer.body, /InvalidSignatureException/);
  });

  test("a clock that is off by more than a quarter of an hour, and one that is not", async () => {
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000);
    for (const minutes of [-16, 16]) {
      const answer = await ask({ date: at(minutes) });
      assert.equal(answer.status, 403, `${minutes} minutes`);
      assert.match(answer.body, /Signature (expired|not yet current)/);
    }
    for (const minutes of [-14, 14]) assert.equal((await ask({ date: at(minutes) })).status, 200);
  });

  test("no signature at all", async () => {
    const answer = await ask({ unsigned: true });
    assert.equal(answer.status, 403);
    assert.match(answer.body, /<Code>MissingAuthenticationToken<\/Code>/);
  });

  test("signature version 2 is refused by name", async () => {
    const body = `${identity}&AWSAccessKeyId=x&Signature=y&SignatureVersion=2&SignatureMethod=HmacSHA256`;
    const answer = await ask({ unsigned: true, body });
    assert.equal(answer.status, 400, answer.body);
    assert.match(answer.body, /Signature Version 2/);
  });

  test("a service that is not offered", async () => {
    const answer = await ask({ service: "s3" });
    assert.equal(answer.status, 501);
    assert.match(answer.body, /s3/);
  });
});

describe("bytes", () => {
  test("a body announced with 64 GiB is refused at once", async () => {
    const answer = await rawBytes(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 * 2 ** 30}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 (413|403|400)/);
  });

  test("what is no HTTP", async () => {
    const answer = await rawBytes("\u0001\u0002\u0003 nonsense\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 400/);
  });

  test("contradicting lengths", async () => {
    const answer = await rawBytes(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    );
    assert.match(answer, /^HTTP\/1\.1 400/);
  });

  function rawBytes(text: string): Promise<string> {
    const { hostname, port } = new URL(server.httpUrl);
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), hostname, () => socket.write(text));
      let answer = "";
      socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString("latin1");
        if (answer.includes("\r\n\r\n")) socket.destroy();
      });
      socket.on("close", () => resolve(answer));
      socket.on("error", reject);
    });
  }
});
