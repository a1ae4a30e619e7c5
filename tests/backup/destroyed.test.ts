// Goal: restoring over the same installation brings back no destroyed key, no deleted access key and
// no revoked grant; --resurrect does, and so does an empty folder, which cannot know and says so.
// Method: destroy each kind after a backup, restore three ways, and try to use what was destroyed
// with real clients.
import { deepEqual, equal, match } from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { refusal, type TestClients, type TestServer } from "../harness/server.ts";
import { done, folderFor, sealpost, start, startRestored, withKey } from "./scene.ts";

const week = 7 * 86_400;

async function keyWith({ kms }: TestClients) {
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: Buffer.from("x") });
  return { KeyId, CiphertextBlob };
}

/** One of each kind, made before the backup and destroyed after it, beside one that stays. */
async function scene(server: TestServer) {
  const { kms, iam } = server.rootClients;
  const doomed = await keyWith(server.rootClients);
  await kms.createAlias({ AliasName: "alias/doomed", TargetKeyId: doomed.KeyId });
  const kept = await keyWith(server.rootClients);
  const user = await server.createUser("emr", {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
  });
  const other = await server.createUser("grantee");
  const grant = { GranteePrincipal: other.arn, Operations: ["Decrypt" as const] };
  const { GrantId } = await kms.createGrant({ ...grant, KeyId: kept.KeyId });
  return {
    doomed,
    kept,
    user,
    other,
    async destroy() {
      await kms.revokeGrant({ KeyId: kept.KeyId, GrantId });
      await iam.deleteAccessKey({ UserName: "emr", AccessKeyId: user.accessKeyId });
      await kms.scheduleKeyDeletion({ KeyId: doomed.KeyId, PendingWindowInDays: 7 });
      await server.advance(week);
    },
  };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** Which of the destroyed things work: key, access key, grant. */
async function working(server: TestServer, { doomed, kept, user, other }: Scene) {
  const opens = (clients: TestClients, CiphertextBlob: Uint8Array | undefined) =>
    refusal(clients.kms.decrypt({ CiphertextBlob }));
  const refusals = [
    await opens(server.rootClients, doomed.CiphertextBlob),
    await refusal(server.clients(user).sqs.listQueues({})),
    await opens(server.clients(other), kept.CiphertextBlob),
  ];
  return refusals.map((refused) => refused === undefined);
}

test("over the same installation what was destroyed stays destroyed", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const made = await scene(server);
  const { dataFolder } = server;
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", dataFolder]);
  deepEqual(await working(server, made), [true, true, true]);
  await made.destroy();
  deepEqual(await working(server, made), [false, false, false]);
  await server.halt();
  const copy = join(place, "copy");
  cpSync(dataFolder, copy, { recursive: true });

  const plain = await sealpost(["restore", file, "--data", dataFolder]);
  equal(plain.code, 1);
  match(plain.err, /say --replace/);

  const told = await done(["restore", file, "--data", dataFolder, "--replace"]);
  match(told, /stay destroyed: 1 keys, 0 imported materials, 1 access keys, 1 grants/);
  const again = await start(t, dataFolder);
  deepEqual(await working(again, made), [false, false, false]);
  const { Plaintext } = await again.rootClients.kms.decrypt({
    CiphertextBlob: made.kept.CiphertextBlob,
  });
  equal(Buffer.from(Plaintext ?? []).toString(), "x");
  const { iam, kms } = again.rootClients;
  deepEqual((await iam.listAccessKeys({ UserName: "emr" })).AccessKeyMetadata, []);
  equal(
    (await kms.listAliases({})).Aliases?.some((a) => a.AliasName === "alias/doomed"),
    false,
  );
  equal((await kms.listGrants({ KeyId: made.kept.KeyId })).Grants?.length, 0);

  // The twin: with --resurrect everything is back.
  match(await done(["restore", file, "--data", copy, "--replace", "--resurrect"]), /is back/);
  const risen = await start(t, copy);
  deepEqual(await working(risen, made), [true, true, true]);
});

test("an empty folder cannot know, and says so", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const made = await scene(server);
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  await made.destroy();
  const empty = join(place, "empty");
  match(await done(["restore", file, "--data", empty]), /ARE BACK/);
  const restored = await startRestored(t, empty, server.root);
  deepEqual(await working(restored, made), [true, true, true]);
});

test("an older state than the backup cannot know either; another installation is refused", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  await scene(server);
  const { dataFolder } = server;
  const [first, second] = [join(place, "1"), join(place, "2")];
  await done(["backup", first, "--backup-key", key, "--data", dataFolder]);
  await done(["backup", second, "--backup-key", key, "--data", dataFolder]);
  await server.halt();
  const old = join(place, "old");
  await done(["restore", first, "--data", old]);
  // A restore is an epoch of its own: it comes after both.
  match(await done(["restore", second, "--data", old, "--replace"]), /stay destroyed: 0 keys/);

  const stranger = await start(t, folderFor(t));
  await done(["backup", join(place, "3"), "--backup-key", key, "--data", stranger.dataFolder]);
  await stranger.halt();
  const refused = await sealpost(["restore", first, "--data", stranger.dataFolder, "--replace"]);
  equal(refused.code, 1);
  match(refused.err, /another installation/);
});

test("root's keys were replaced since: the restored installation gets new ones", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const { dataFolder } = server;
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", dataFolder]);
  await done(["root-credentials", "rotate", "--data", dataFolder]);
  await server.halt();
  const told = await done(["restore", file, "--data", dataFolder, "--replace"]);
  match(told, /new ones: .*credentials/);
  const again = await start(t, dataFolder);
  await again.rootClients.sts.getCallerIdentity({});
  const old = await refusal(again.clients(server.root).sts.getCallerIdentity({}));
  equal(old?.name, "InvalidClientTokenId");
});
