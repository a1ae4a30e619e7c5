// Goal: a token of a registered identity provider opens the roles that trust it, and nothing else
// does: no other algorithm, audience, issuer, key or time.
// Method: an issuer on loopback whose certificate this process trusts; tokens made by hand, each
// wrong in one way.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { openPrivateCertificates } from "../../src/gateway/certificates.ts";
import type { Json } from "../../src/kernel/json.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { createProviderKeys } from "../../src/services/sts/provider-keys.ts";
import { random, secretBox } from "../gateway/support.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import {
  type Issuer,
  jwkOf,
  makeMacToken,
  makeToken,
  startIssuer,
  type TestKey,
  testKey,
} from "./oidc-issuer.ts";
import { allow, credentialsOf, makeRole } from "./sts-scene.ts";

const folder = mkdtempSync(join(tmpdir(), "sealpost-issuer-"));
const rsa = testKey("rsa-1", "RS256");
const ec = testKey("ec-1", "ES256");
let server: TestServer;
let issuer: Issuer;
let RoleArn: string;
let provider: string;

before(async () => {
  const certificates = openPrivateCertificates({
    folder,
    secrets: secretBox,
    clock: { now: () => Date.now(), at: () => () => {} },
    random,
    hostName: "localhost",
    tlsNames: [],
    log: silentLog,
  });
  issuer = await startIssuer(certificates.material(), [rsa, ec]);
  certificates.close();
  const own = readFileSync(join(folder, "ca.pem"), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), own]);
  // One gateway thread: what this process is made to trust, other threads of it do not.
  server = await startTestServer({ flags: { deliveryAllow: [issuer.name], threads: 1 } });
  const { iam } = server.rootClients;
  const made = await iam.createOpenIDConnectProvider({
    Url: `https://${issuer.name}`,
    ClientIDList: ["my-app"],
  });
  provider = made.OpenIDConnectProviderArn ?? "";
  const trust = {
    Effect: "Allow",
    Principal: { Federated: provider },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: { [`${issuer.name}:aud`]: "my-app" },
      StringLike: { [`${issuer.name}:sub`]: "repo:clinic/*" },
    },
  };
  RoleArn = await makeRole(server.rootClients, "web", [trust], [allow("sqs:ListQueues")]);
});
after(async () => {
  await server.stop();
  await issuer.stop();
  setDefaultCACertificates(getCACertificates("bundled"));
  rmSync(folder, { recursive: true });
});

const seconds = () => Math.floor(Date.now() / 1000);
const claims = (more: object = {}) => ({
  iss: `https://${issuer.name}`,
  sub: "repo:clinic/app",
  aud: "my-app",
  iat: seconds(),
  exp: seconds() + 300,
  ...more,
});
// No credentials: the call is unsigned.
const ask = (WebIdentityToken: string, more: object = {}) =>
  server
    .clients({ accessKeyId: "none", secretAccessKey: "none" })
    .sts.assumeRoleWithWebIdentity({ RoleArn, RoleSessionName: "job", WebIdentityToken, ...more });

for (const key of [rsa, ec] as readonly TestKey[]) {
  test(`a token signed with ${key.algorithm} opens the role`, async () => {
    const answer = await ask(makeToken(key, claims()));
    deepEqual(
      [answer.Provider, answer.Audience, answer.SubjectFromWebIdentityToken],
      [provider, "my-app", "repo:clinic/app"],
    );
    const session = server.clients(credentialsOf(answer.Credentials));
    await session.sqs.listQueues({});
    const who = await session.sts.getCallerIdentity({});
    equal(who.Arn, `arn:aws:sts::${server.accountId}:assumed-role/web/job`);
  });
}

test("the audit names who it was", async () => {
  await ask(makeToken(rsa, claims()));
  const found = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "AssumeRoleWithWebIdentity" }],
  });
  const { userIdentity } = JSON.parse(found.Events?.[0]?.CloudTrailEvent ?? "{}");
  deepEqual(userIdentity, {
    type: "WebIdentityUser",
    principalId: `${provider}:my-app:repo:clinic/app`,
    userName: "repo:clinic/app",
    identityProvider: provider,
  });
});

test("tokens that are wrong in one way open nothing", async () => {
  const invalid = "InvalidIdentityTokenException";
  const foreign = testKey("rsa-1", "RS256");
  const none = `${makeToken(rsa, claims(), { alg: "none" }).split(".").slice(0, 2).join(".")}.`;
  const cases: readonly (readonly [what: string, token: string, name: string])[] = [
    ["no signature", none, invalid],
    ["alg none with a signature", makeToken(rsa, claims(), { alg: "none" }), invalid],
    ["a MAC under the public key", makeMacToken(rsa, claims()), invalid],
    ["another algorithm than the key's", makeToken(ec, claims(), { alg: "RS256" }), invalid],
    ["another key of the same name", makeToken(foreign, claims()), invalid],
    ["an unknown key", makeToken(testKey("other", "ES256"), claims()), invalid],
    ["a critical extension", makeToken(rsa, claims(), { crit: ["x"] }), invalid],
    ["another audience", makeToken(rsa, claims({ aud: "your-app" })), invalid],
    ["no audience", makeToken(rsa, claims({ aud: undefined })), invalid],
    ["no subject", makeToken(rsa, claims({ sub: undefined })), invalid],
    ["no end", makeToken(rsa, claims({ exp: undefined })), invalid],
    ["not yet", makeToken(rsa, claims({ nbf: seconds() + 3600 })), invalid],
    ["another issuer", makeToken(rsa, claims({ iss: "https://example.org" })), invalid],
    ["over", makeToken(rsa, claims({ exp: seconds() - 1 })), "ExpiredTokenException"],
    ["another subject", makeToken(rsa, claims({ sub: "repo:evil/app" })), "AccessDenied"],
    ["not a token", "a.b.c.d", invalid],
  ];
  for (const [what, token, name] of cases) {
    const denied = await refusal(ask(token));
    equal(denied?.name, name, `${what}: ${denied?.message}`);
  }
  await ask(makeToken(rsa, claims()));
});

test("a provider without client ids admits nobody", async () => {
  const { iam } = server.rootClients;
  const names = { OpenIDConnectProviderArn: provider, ClientID: "my-app" };
  await iam.removeClientIDFromOpenIDConnectProvider(names);
  const denied = await refusal(ask(makeToken(rsa, claims())));
  equal(denied?.message, "Incorrect token audience");
  await iam.addClientIDToOpenIDConnectProvider(names);
  await ask(makeToken(rsa, claims()));
});

test("keys are kept, and asked for again at most once a minute", async () => {
  let now = 1_000_000;
  let fetched = 0;
  let failing = false;
  const keys = createProviderKeys({
    systemClock: { now: () => now },
    async fetchJson(url): Promise<Json> {
      fetched++;
      if (failing) throw new Error("no route");
      if (!url.endsWith("openid-configuration"))
        return { keys: [JSON.parse(JSON.stringify(jwkOf(ec)))] };
      return { issuer: "https://idp.example", jwks_uri: "https://idp.example/k" };
    },
  });
  equal((await keys.of("idp.example", "ec-1")).length, 1);
  await keys.of("idp.example", "ec-1");
  equal(fetched, 2, "one discovery, one list of keys");
  await keys.of("idp.example", "new");
  equal(fetched, 2, "an unknown key is no reason to ask at once");
  now += 60_000;
  await keys.of("idp.example", "new");
  equal(fetched, 4);
  failing = true;
  now += 3_600_000;
  for (let i = 0; i < 3; i++) {
    const error = await keys.of("idp.example", "ec-1").catch((reason: Error) => reason);
    ok(error instanceof Error);
    match(error.message, /no route/);
  }
  equal(fetched, 5, "a failure is kept for a minute too");
});
