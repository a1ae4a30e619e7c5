// Goal: an installation on PostgreSQL is backed up while it serves and restored into either kind of
// store, and so is a backup of the embedded one; what was destroyed stays destroyed there too.
// Method: real servers, clients and command lines; a snapshot is read while the store goes on.
import { deepEqual, equal, match } from "node:assert/strict";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writeCredentialsFile } from "../../src/cli/credentials-file.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { messagesTable, metaTable } from "../../src/kernel/portable.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { postgresSnapshot } from "../../src/stores/postgres/portable-read.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import * as fixtures from "../stores/contract/fixtures.ts";
import { done, folderFor, queueUrlOn, receiveAll, sealpost, withKey } from "./scene.ts";

async function serve(t: TestContext, dataFolder: string, store: string): Promise<TestServer> {
  const server = await startTestServer({ dataFolder, flags: { store } });
  t.after(() => server.halt().catch(() => {}));
  return server;
}

/** On a restored folder: credentials are not in a backup. */
function serveRestored(t: TestContext, folder: string, store: string, of: TestServer) {
  if (!existsSync(join(folder, "credentials"))) writeCredentialsFile(folder, of.root);
  return serve(t, folder, store);
}

async function fill(server: TestServer) {
  const { kms, sqs } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const KmsMasterKeyId = KeyMetadata?.KeyId ?? "";
  const user = await server.createUser("emr", {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
  });
  const { QueueUrl = "" } = await sqs.createQueue({
    QueueName: "q",
    Attributes: { KmsMasterKeyId },
  });
  const bodies = Array.from({ length: 25 }, (_, n) => `body ${n}`).toSorted();
  for (const MessageBody of bodies) await sqs.sendMessage({ QueueUrl, MessageBody });
  return { QueueUrl, bodies, user };
}

test("a backup of PostgreSQL while it serves comes back in either kind of store", async (t) => {
  const { place, key } = await withKey(t, "file");
  const cluster = await sharedCluster();
  const store = cluster.newStoreUrl();
  const server = await serve(t, folderFor(t), store);
  const { dataFolder } = server;
  const { QueueUrl, bodies, user } = await fill(server);
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", dataFolder]);
  const verified = await sealpost(["backup", "verify", file, "--backup-key", key]);
  match(verified.out, /25 messages/, verified.err);

  await t.test("in an embedded store", async (t) => {
    const folder = join(place, "embedded");
    await done(["restore", file, "--backup-key", key, "--data", folder]);
    const again = await serveRestored(t, folder, "sqlite", server);
    deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), bodies);
    equal((await sealpost(["verify-trail", "--data", folder])).code, 0);
    await again.halt();
  });

  await t.test("in an empty schema, not over another installation", async (t) => {
    const folder = join(place, "shared");
    const other = cluster.newStoreUrl();
    await done(["restore", file, "--backup-key", key, "--data", folder, "--store", other]);
    equal(existsSync(join(folder, "sealpost.db")), false);
    const again = await serveRestored(t, folder, other, server);
    deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), bodies);
    await again.halt();
    const refused = await sealpost([
      "restore",
      file,
      "--backup-key",
      key,
      "--data",
      folder,
      "--store",
      other,
    ]);
    match(refused.err, /an installation in the database; say --replace/);
  });

  await t.test("what was destroyed since stays so", async (t) => {
    const { accessKeyId: AccessKeyId } = user;
    await server.rootClients.iam.deleteAccessKey({ UserName: "emr", AccessKeyId });
    await server.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "later" });
    const replace = [
      "restore",
      file,
      "--backup-key",
      key,
      "--data",
      dataFolder,
      "--store",
      store,
      "--replace",
    ];
    match((await sealpost(replace)).err, /another server/);
    await server.halt();
    const elsewhereFolder = folderFor(t);
    cpSync(join(dataFolder, "root.key"), join(elsewhereFolder, "root.key"));
    writeCredentialsFile(elsewhereFolder, server.root);
    const elsewhere = await serve(t, elsewhereFolder, store);
    match((await sealpost(replace)).err, /servers or commands work on this database/);
    await elsewhere.halt();
    match(await done(replace), /stay destroyed: .* 1 access keys/);
    const again = await serve(t, dataFolder, store);
    deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), bodies);
    const refused = await refusal(again.clients(user).sqs.listQueues({}));
    match(JSON.stringify(refused), /InvalidClientTokenId/);
    await again.halt();
  });
});

test("a backup of an embedded store, and one by a stopped server, go into PostgreSQL", async (t) => {
  const { place, key } = await withKey(t, "file");
  const cluster = await sharedCluster();
  const server = await serve(t, folderFor(t), "sqlite");
  const { QueueUrl, bodies } = await fill(server);
  const first = join(place, "first");
  await done(["backup", first, "--backup-key", key, "--data", server.dataFolder]);
  await server.halt();
  const store = cluster.newStoreUrl();
  const folder = join(place, "shared");
  await done(["restore", first, "--backup-key", key, "--data", folder, "--store", store]);
  const second = join(place, "second");
  const stopped = ["--backup-key", key, "--data", folder, "--store", store];
  await done(["backup", second, ...stopped]);
  const other = cluster.newStoreUrl();
  const otherFolder = join(place, "other");
  await done(["restore", second, "--backup-key", key, "--data", otherFolder, "--store", other]);
  const again = await serveRestored(t, otherFolder, other, server);
  deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), bodies);
  await again.halt();
});

test("a restore that cannot be put in place leaves database and folder as they were", async (t) => {
  const { place, key } = await withKey(t, "file");
  const cluster = await sharedCluster();
  const store = cluster.newStoreUrl();
  const server = await serve(t, folderFor(t), store);
  await fill(server);
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  await server.halt();
  const schema = new URL(store).searchParams.get("schema") ?? "";
  await cluster.sql(`CREATE VIEW ${schema}.watched AS SELECT count(*) FROM pg_class`);
  const words = ["--data", server.dataFolder, "--store", store, "--replace"];
  const refused = await sealpost(["restore", file, "--backup-key", key, ...words]);
  match(refused.err, /holds more than a store: watched/);
  const again = await serve(t, server.dataFolder, store);
  equal((await again.rootClients.sqs.listQueues({})).QueueUrls?.length, 1);
  await again.halt();
  await cluster.sql(`DROP VIEW ${schema}.watched`);
  // A store of its own in the same folder is not touched, its log included.
  for (const name of ["sealpost.db", "sealpost.db-wal"]) {
    writeFileSync(join(server.dataFolder, name), "theirs");
  }
  await done(["restore", file, "--backup-key", key, ...words]);
  equal(existsSync(join(server.dataFolder, "sealpost.db-wal")), true);
});

test("a snapshot sees one moment while the store goes on", async (t) => {
  const url = (await sharedCluster()).newStoreUrl();
  const store = await openPostgresStore({ url, log: silentLog, systemNowMs: Date.now });
  t.after(() => store.close());
  const queue = fixtures.queueNamed();
  await fixtures.commit(store, fixtures.putDataKey(fixtures.dataKeyNamed("k")));
  let written = 0;
  const write = async () => {
    written += 1;
    const count = { kind: "meta.put", name: "count", value: Buffer.from(`${written}`) } as const;
    const message = fixtures.messageNamed(`m${written}`, "k", written);
    await fixtures.commit(store, count, fixtures.insertInto(queue, message));
  };
  for (let n = 0; n < 130; n += 1) await write();
  const snapshot = await postgresSnapshot(store.address);
  t.after(() => snapshot.close());
  const counted: string[] = [];
  for await (const rows of snapshot.rows(metaTable)) {
    counted.push(...rows.map(([, value]) => Buffer.from(value as Uint8Array).toString()));
  }
  let messages = 0;
  for await (const rows of snapshot.rows(messagesTable)) {
    messages += rows.length;
    await write();
  }
  deepEqual(counted, ["130"]);
  equal(messages, 130);
  // The twin: the next one sees what came meanwhile.
  const next = await postgresSnapshot(store.address);
  equal(await next.countRows(messagesTable), written);
  await next.close();
});
