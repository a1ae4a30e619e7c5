// Goal: functions are invoked as Lambda's API has it, mails reach a mail server without a line of
// anybody's own in their heads, and passwords answer challenges only. Method: a receiver and a
// small mail server on loopback; signatures are checked by a second implementation.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { systemRandom } from "../../src/crypto/random.ts";
import { carryHttp } from "../../src/delivery/http.ts";
import { carryLambda, checkLambdaEndpoint } from "../../src/delivery/lambda.ts";
import { carryMail, checkSmtpUrl } from "../../src/delivery/smtp.ts";
import { createTargets } from "../../src/delivery/targets.ts";
import { signedHeaders } from "../harness/sign.ts";
import { startMailServer } from "./mail-server.ts";
import { startReceiver } from "./receiver.ts";

const targets = createTargets({
  allowPrivate: false,
  allow: ["127.0.0.0/8"],
  own: () => ({ addresses: [], ports: [] }),
  lookup: async () => [{ address: "127.0.0.1", family: 4 }],
});
const functionArn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI" };

test("a function is invoked by event, signed for its region", async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  receiver.answer = (_request, response) => void response.writeHead(202).end();
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  const options = { endpoints: [receiver.url], ...credentials, now: () => nowMs };
  const payload = '{"Records":[]}';
  const answer = await carryLambda(targets, options, { functionArn, payload });
  assert.deepEqual(answer, { ok: true, statusCode: 202, response: "" });
  const [request] = receiver.requests;
  const path = `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`;
  assert.equal(request?.path, path);
  assert.equal(request?.body, payload);
  assert.equal(request?.headers["x-amz-invocation-type"], "Event");
  const expected = signedHeaders({
    method: "POST",
    url: receiver.url + path,
    service: "lambda",
    region: "eu-west-1",
    headers: { "content-type": "application/json", "x-amz-invocation-type": "Event" },
    body: payload,
    date: new Date(nowMs),
    ...credentials,
  });
  assert.equal(request?.headers.authorization, expected.authorization);
});

test("each function may have an endpoint of its own; statuses are judged", async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const invoke = (endpoints: readonly string[]) =>
    carryLambda(targets, { endpoints, ...credentials, now: () => 0 }, { functionArn, payload: "" });
  const own = `${functionArn}=${receiver.url}`;
  assert.equal((await invoke([own, "http://127.0.0.1:1"])).ok, true);
  const unknown = await invoke([own.replace(":f=", ":g=")]);
  assert.deepEqual(
    [unknown.ok, "code" in unknown && unknown.code],
    [false, "LambdaEndpointUnknown"],
  );
  for (const [status, retryable] of [
    [404, false],
    [403, false],
    [429, true],
    [500, true],
  ] as const) {
    receiver.answer = (_request, response) => void response.writeHead(status).end("why");
    const answer = await invoke([receiver.url]);
    assert.ok(!answer.ok);
    assert.equal(answer.retryable, retryable, String(status));
    assert.equal(answer.text, `the endpoint answered ${status}: why`);
  }
  const gone = await invoke(["http://127.0.0.1:1"]);
  assert.ok(!gone.ok && gone.retryable);
  assert.throws(() => checkLambdaEndpoint("ftp://x"));
  checkLambdaEndpoint(`${functionArn}=https://x`);
});

test("a digest challenge is answered as RFC 7616 says", async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const md5 = (text: string) => createHash("md5").update(text).digest("hex");
  receiver.answer = ({ headers }, response) => {
    const given = String(headers.authorization ?? "");
    const part = (name: string) => new RegExp(`${name}="?([^",]+)`).exec(given)?.[1] ?? "";
    const secret = md5("user:r:pä");
    const wanted = md5(
      `${secret}:n0nce:${part("nc")}:${part("cnonce")}:auth:${md5("POST:/hook?a=1")}`,
    );
    if (part("response") === wanted) return void response.end();
    const challenge = 'Digest realm="r", nonce="n0nce", qop="auth,auth-int", opaque="o"';
    response.writeHead(401, { "www-authenticate": challenge }).end();
  };
  const url = receiver.url.replace("//", `//user:${encodeURIComponent("pä")}@`);
  const carry = (address: string) =>
    carryHttp(targets, systemRandom, { url: `${address}/hook?a=1`, headers: {}, body: "m" });
  assert.equal((await carry(url)).ok, true);
  assert.equal(receiver.requests.length, 2);
  const wrong = await carry(url.replace("user", "other"));
  assert.ok(!wrong.ok && !wrong.retryable && wrong.statusCode === 401);
});

test("a mail arrives, and no line of its sender's gets into its head", async (t) => {
  const server = await startMailServer(t);
  const smtp = `smtp://mail.example:${server.port}?from=alerts@example.com`;
  const sent = await carryMail(targets, smtp, {
    to: "a@b.example",
    fromName: "Ops\r\nBcc: evil@example.com",
    subject: "disk full\r\nX-Evil: 1",
    text: "line one\n.\nline two",
  });
  assert.equal(sent.ok, true, JSON.stringify(sent));
  const head = server.lines.slice(0, server.lines.indexOf(""));
  assert.ok(head.includes("MAIL FROM:<alerts@example.com>"));
  assert.deepEqual(
    head.filter((line) => line.startsWith("RCPT")),
    ["RCPT TO:<a@b.example>"],
  );
  assert.equal(
    head.some((line) => /^(bcc|x-evil):/i.test(line)),
    false,
  );
  assert.ok(head.some((line) => line.startsWith("Subject: disk full")));
  assert.ok(server.lines.includes("line two"));
});

test("mail servers mean 4xx as later and 5xx as never; without one, mails wait", async (t) => {
  const server = await startMailServer(t);
  const smtp = `smtp://user-less.example:${server.port}`;
  const mail = { to: "a@b.example", fromName: "n", subject: "s", text: "t" };
  server.refuse = "450 later";
  const later = await carryMail(targets, smtp, mail);
  assert.ok(!later.ok && later.retryable && later.code === "SMTP450");
  server.refuse = "550 nobody here";
  const never = await carryMail(targets, smtp, mail);
  assert.ok(!never.ok && !never.retryable);
  const none = await carryMail(targets, undefined, mail);
  assert.ok(!none.ok && none.retryable && none.code === "SmtpUnknown");
  const secret = "smtp://user:pa55word@";
  assert.throws(
    () => checkSmtpUrl(secret),
    (error: Error) => !error.message.includes("pa55word"),
  );
});
