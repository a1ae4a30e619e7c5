// Goal: GetRole tells when a role was last used, and where.
// Method: sessions of a role with the SDK; a restart; a role of the same name made again.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { allow, assume, makeRole, policy, trusts } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const root = () => server.rootClients;

test("when a role was last used: by a session, not by assuming it; it outlives a restart", async () => {
  const user = await server.createUser("lou", JSON.parse(policy(allow("*"))));
  const RoleArn = await makeRole(root(), "late", [trusts({ AWS: user.arn })], [allow("sqs:*")]);
  const used = async () => (await root().iam.getRole({ RoleName: "late" })).Role?.RoleLastUsed;
  const session = await assume(server, user.clients.sts, { RoleArn });
  equal((await used())?.LastUsedDate, undefined);
  await session.sqs.listQueues({});
  const before = await used();
  equal(before?.Region, "us-east-1");
  ok(Math.abs((before?.LastUsedDate?.getTime() ?? 0) - Date.now()) < 60_000);
  const { RoleDetailList = [] } = await root().iam.getAccountAuthorizationDetails({});
  const detail = RoleDetailList.find(({ RoleName }) => RoleName === "late");
  deepEqual(detail?.RoleLastUsed, before);
  server = await server.restart();
  deepEqual(await used(), before);
  await root().iam.deleteRolePolicy({ RoleName: "late", PolicyName: "test" });
  await root().iam.deleteRole({ RoleName: "late" });
  await makeRole(root(), "late", [trusts({ AWS: user.arn })]);
  equal((await used())?.LastUsedDate, undefined, "a role made again was never used");
});
