// Goal: identity providers and buckets are reached as endpoints are: only where the operator lets
// the server go, at the address that was checked. Method: a port that counts who connects, asked
// for by the very functions; the twin has it opened, and then somebody connects.
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { fetchJson } from "../../src/assembly/fetch-json.ts";
import { openTargets, reachThrough } from "../../src/delivery/open-targets.ts";
import { TargetRefused } from "../../src/delivery/targets.ts";
import { ObjectError } from "../../src/trails/objects.ts";
import { s3Objects } from "../../src/trails/s3.ts";
import { startTestServer } from "../harness/server.ts";

/** Hangs up on whoever connects. */
async function door(t: TestContext) {
  const count = { connections: 0 };
  const server = createServer((socket) => {
    count.connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { count, port: (server.address() as AddressInfo).port };
}

const reach = (...allow: readonly string[]) =>
  reachThrough(openTargets({ allow, allowPrivate: false }, () => []));

test("the keys of an identity provider", async (t) => {
  const { count, port } = await door(t);
  const url = `https://127.0.0.1:${port}/.well-known/openid-configuration`;
  await assert.rejects(fetchJson(reach(), url), TargetRefused);
  assert.equal(count.connections, 0);
  await assert.rejects(fetchJson(reach(`127.0.0.1:${port}`), url), /hang up|disconnected|RESET/i);
  assert.equal(count.connections, 1);
});

test("files of trails", async (t) => {
  const { count, port } = await door(t);
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const find = (way: ReturnType<typeof reach>) =>
    s3Objects({
      endpoint: `http://localhost:${port}`,
      credentials,
      reach: way,
      now: () => 0,
      answerMsMax: 1000,
    }).find("bucket", "us-east-1");
  const unreachable = (error: unknown) =>
    error instanceof ObjectError && error.code === "Unreachable";
  await assert.rejects(find(reach()), (error: Error) => {
    assert.ok(unreachable(error));
    assert.match(error.message, /--delivery-allow localhost:\d+/);
    return true;
  });
  assert.equal(count.connections, 0);
  await assert.rejects(find(reach("127.0.0.0/8")), unreachable);
  assert.equal(count.connections, 1);
});

test("a server as it starts reaches neither", async (t) => {
  const { count, port } = await door(t);
  const server = await startTestServer({
    flags: { trailEndpoint: `http://127.0.0.1:${port}` },
    environment: {
      SEALPOST_TRAIL_ACCESS_KEY_ID: "AKIATRAILSOFTESTS",
      SEALPOST_TRAIL_SECRET_ACCESS_KEY: "secret-of-the-trails-of-this-test-0123456",
    },
  });
  t.after(() => server.stop());
  const { cloudtrail, iam, sts } = server.rootClients;
  await assert.rejects(cloudtrail.createTrail({ Name: "main", S3BucketName: "some-bucket" }));
  const Url = `https://localhost:${port}`;
  const made = await iam.createOpenIDConnectProvider({ Url, ClientIDList: ["app"] });
  const Principal = { Federated: made.OpenIDConnectProviderArn };
  const trust = { Effect: "Allow", Principal, Action: "sts:AssumeRoleWithWebIdentity" };
  const { Role } = await iam.createRole({
    RoleName: "web",
    AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: trust }),
  });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: Url, aud: "app", sub: "me", exp: 4_000_000_000, iat: 1_700_000_000 };
  const token = `${part({ alg: "RS256", kid: "k", typ: "JWT" })}.${part(claims)}.c2ln`;
  await assert.rejects(
    sts.assumeRoleWithWebIdentity({
      RoleArn: Role?.Arn,
      RoleSessionName: "session",
      WebIdentityToken: token,
    }),
    { name: "IDPCommunicationErrorException" },
  );
  assert.equal(count.connections, 0);
});
