import { hash, randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { headerValues } from "../src/auth/canonical.ts";
import type { DecisionRequest } from "../src/auth/policy/index.ts";
import { checkPolicy, decide } from "../src/auth/policy/index.ts";
import type { SignedRequest } from "../src/auth/sigv4.ts";
import { readClaim, SigningKeyCache, verifySignature } from "../src/auth/sigv4.ts";
import { HmacKey } from "../src/crypto/hmac.ts";
import { account, facts, queue, requestWith } from "./alice.ts";
import { identityRows } from "./identity.ts";

/** Times of authentication and authorisation: `node bench/policy.ts`. Goals stand beside them. */

const attach = (document: object) => ({ text: JSON.stringify(document), principalIds: {} });

/** 20 policies of 10 statements, every one about the action asked for. */
export function twentyPolicies(): DecisionRequest {
  const identity = Array.from({ length: 20 }, (_, policy) => ({
    name: `p${policy}`,
    policy: attach({
      Version: "2012-10-17",
      Statement: Array.from({ length: 10 }, (_, index) => ({
        Effect: index === 9 && policy % 2 === 0 ? "Deny" : "Allow",
        Action: ["sqs:Send*", "sqs:ReceiveMessage"],
        Resource: `arn:aws:sqs:*:${account}:team-${policy}-${index}-*`,
        Condition: { StringEquals: { "aws:PrincipalTag/team": "orders" } },
      })),
    }),
  }));
  const last = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "sqs:*", Resource: queue },
  };
  return requestWith([...identity.slice(1), { name: "last", policy: attach(last) }]);
}

/** So many policies, of which one is about the queue. */
export function policiesAboutQueues(count: number): DecisionRequest {
  const send = (index: number, Resource: string) => ({
    name: `p${index}`,
    policy: attach({ Statement: { Effect: "Allow", Action: "sqs:SendMessage", Resource } }),
  });
  return requestWith(
    Array.from({ length: count }, (_, index) =>
      send(index, index === 0 ? queue : `arn:aws:sqs:*:${account}:other-${index}-*`),
    ),
  );
}

/** The policy of a key with so many statements, each for another user; the last is for Alice. */
export function keyPolicyOf(statements: number): DecisionRequest {
  const users = Array.from({ length: statements }, (_, index) => `user-${index}`).fill("alice", -1);
  const arnOf = (user: string) => `arn:aws:iam::${account}:user/${user}`;
  const Statement = users.map((user) => ({
    Effect: "Allow",
    Principal: { AWS: arnOf(user) },
    Action: "sqs:SendMessage",
    Resource: "*",
  }));
  const ids = users.map((user) => [arnOf(user), `AIDA${user.toUpperCase()}`]);
  const resourcePolicy = {
    text: JSON.stringify({ Version: "2012-10-17", Statement }),
    principalIds: Object.fromEntries(ids),
  };
  return { ...requestWith([]), resourcePolicy, policyKind: "key" };
}

/** Texts near 32 KB that are made to be slow, with the request that meets them. */
export function hostileTexts(): readonly (readonly [name: string, text: string])[] {
  const statement = (part: object) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "*", Resource: "*", ...part },
    });
  const stars = (unit: string, length: number) => unit.repeat(Math.floor(length / unit.length));
  const like = (values: readonly string[]) =>
    statement({ Condition: { StringLike: { "x:long": values } } });
  return [
    ["stars", statement({ Resource: `arn:aws:sqs:*:*:${stars("*a", 31_000)}b` })],
    ["question marks", like([`*${stars("a?", 15_000)}b*`, `*${stars("?a", 15_000)}c*`])],
    ["long parts", like(Array.from({ length: 7 }, () => `*b${stars("a", 4_400)}*`))],
    ["periodic parts", like(Array.from({ length: 100 }, () => `*b${stars("a", 290)}*`))],
    ["short parts", like(Array.from({ length: 2_800 }, () => "*aaaab*"))],
    ["many variables", like([stars("$" + "{x:a}*", 31_000)])],
    ["open variables", like([stars("$" + "{", 31_000)])],
    [
      "many statements",
      JSON.stringify({
        Statement: Array.from({ length: 600 }, () => ({
          Effect: "Deny",
          Action: "sqs:Re*",
          Resource: "*",
        })),
      }),
    ],
    ["deep nesting", stars("[", 32_000)],
    ["deep objects", stars('{"a":', 32_000)],
    ["duplicate names", `{${stars('"a":1,', 31_000)}"a":1}`],
    ["many names", `{${Array.from({ length: 3_200 }, (_, n) => `"n${n}":1`).join()}}`],
    ["escapes", `{"Id":"${stars("\\u0041", 31_000)}"}`],
    ["blanks", stars(" ", 32_000)],
    ["open text", `{"Id":"${stars("a", 32_000)}`],
    ["prototype", `{"__proto__":${stars('{"constructor":', 32_000)}`],
  ];
}

/**
 * Checks, compiles and decides, as a save and the next request do. Milliseconds of this thread: a
 * busy machine does not count against a policy.
 */
export function hostileMs(text: string): number {
  const context = { "x:long": "a".repeat(1024), "x:a": "a" };
  const resource = `${queue}${"a".repeat(300)}`;
  const start = process.threadCpuUsage();
  try {
    checkPolicy(text, "identity");
  } catch {
    // A hostile text may be refused; the time to do so is what counts.
  }
  const identity = [{ name: "hostile", policy: { text, principalIds: {} } }];
  decide({ ...requestWith(identity), context, resource });
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

/** Median of five: the first ones compile the engine's own code. */
function medianHostileMs(text: string): number {
  const times = Array.from({ length: 5 }, () => hostileMs(text));
  return times.sort((a, b) => a - b)[2] ?? 0;
}

function microseconds(rounds: number, run: () => unknown): number {
  for (let round = 0; round < rounds / 5; round++) run();
  const start = performance.now();
  for (let round = 0; round < rounds; round++) run();
  return ((performance.now() - start) / rounds) * 1000;
}

/** A SendMessage of 1 KiB with the headers of an SDK; the signature itself may be wrong. */
export function signedSend(): { request: SignedRequest; body: Buffer; secret: Buffer } {
  const body = Buffer.from(
    JSON.stringify({
      QueueUrl: "https://localhost:4566/1/q",
      MessageBody: randomBytes(512).toString("hex"),
    }),
  );
  const signed = "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target;x-amz-user-agent";
  const headers = {
    Host: "localhost:4566",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
    "X-Amz-User-Agent": "aws-sdk-js/3.1169.0",
    "User-Agent": "aws-sdk-js/3.1169.0 ua/2.1 os/linux#6 lang/js md/nodejs#26",
    "Amz-Sdk-Invocation-Id": "3b0a2f1e-5a2d-4c8e-9a31-000000000000",
    "Amz-Sdk-Request": "attempt=1; max=3",
    "X-Amz-Date": "20260101T000000Z",
    "X-Amz-Content-Sha256": hash("sha256", body, "hex"),
    "Content-Length": String(body.length),
    Connection: "keep-alive",
    Authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLEEXAMPLE00/20260101/us-east-1/sqs/aws4_request, " +
      `SignedHeaders=${signed}, Signature=${"0".repeat(64)}`,
  };
  const request = {
    method: "POST",
    path: "/",
    query: "",
    headers: headerValues(Object.entries(headers).flat()),
  };
  return { request, body, secret: Buffer.from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") };
}

function decisionRow(what: string, request: DecisionRequest): [string, string, string] {
  if (!decide(request).allowed) throw new Error("the decision that is measured allows");
  return [what, `${microseconds(50_000, () => decide(request)).toFixed(2)} µs`, "flat"];
}

async function main(): Promise<void> {
  const { request, body, secret } = signedSend();
  const keys = new SigningKeyCache();
  const claim = readClaim(request);
  if (claim === undefined) throw new Error("the request is signed");
  keys.keep(claim.scope, secret, new HmacKey(Buffer.alloc(32, 1)));
  const verify = microseconds(50_000, () => {
    const read = readClaim(request);
    return read && verifySignature(read, request, body, secret, keys);
  });
  const many = twentyPolicies();
  const few = { ...many, identity: many.identity.slice(-1) };
  const lines: (readonly [what: string, value: string, goal: string])[] = [
    ["SigV4 of a 1 KiB SendMessage", `${verify.toFixed(1)} µs`, "< 20 µs"],
    [
      "decision, 20 policies of 10",
      `${microseconds(20_000, () => decide(many)).toFixed(1)} µs`,
      "< 20 µs",
    ],
    ["decision, 1 policy of 1", `${microseconds(50_000, () => decide(few)).toFixed(1)} µs`, ""],
    ...[1, 10, 50, 200].flatMap((size) => [
      decisionRow(`decision, ${size} policies, one about the queue`, policiesAboutQueues(size)),
      decisionRow(`decision, key policy of ${size} statements`, keyPolicyOf(size)),
    ]),
    ["global context", `${microseconds(50_000, facts).toFixed(1)} µs`, ""],
  ];
  lines.push(...(await identityRows()));
  for (const [name, text] of hostileTexts()) {
    lines.push([`hostile: ${name}`, `${medianHostileMs(text).toFixed(1)} ms`, "< 10 ms"]);
  }
  for (const [what, value, goal] of lines) {
    console.log(
      `${what.padEnd(50)} ${value.padStart(10)}${goal === "" ? "" : `  (goal: ${goal})`}`,
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
