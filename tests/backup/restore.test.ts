// Goal: a backup of a serving server, restored elsewhere, delivers every acknowledged message, opens
// every key and lets everybody in who could come in; nobody can read anything in its file. Method:
// real servers and clients, the command line as a person uses it; the file is searched for what
// must not be seen, and the twin shows that the search finds it where it is.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  done,
  folderFor,
  queueUrlOn,
  receiveAll,
  sealpost,
  start,
  startRestored,
  withKey,
} from "./scene.ts";

const plaintext = Buffer.from("patient record of Ada Lovelace");

test("a backup of a serving server comes back whole, on another machine's folder", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const { kms, sqs, sns } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: plaintext });
  const { QueueUrl = "" } = await sqs.createQueue({
    QueueName: "Billing-Integration",
    Attributes: { KmsMasterKeyId: KeyId },
  });
  await sns.createTopic({ Name: "Patient-Records", Attributes: { KmsMasterKeyId: KeyId } });
  const user = await server.createUser("emr", {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
  });
  const sent = Array.from({ length: 40 }, (_, n) => `body ${n} of a patient`);
  for (const MessageBody of sent) await sqs.sendMessage({ QueueUrl, MessageBody });

  const file = join(place, "installation.backup");
  const said = await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  match(said, /backup of .* MiB/);
  equal(statSync(file).mode & 0o777, 0o600);
  equal(existsSync(join(server.dataFolder, "backup-snapshot.db")), false);
  // It goes on; what comes after the backup is not in it.
  await sqs.sendMessage({ QueueUrl, MessageBody: "later" });

  const bytes = readFileSync(file);
  const secrets = [
    ...["body 7 of a patient", "Billing-Integration", "Patient-Records", "emr", KeyId],
    ...[server.root.accessKeyId, server.root.secretAccessKey, user.accessKeyId],
    ...[user.secretAccessKey, server.accountId, "sqs.queue", "SPKR"],
  ];
  deepEqual(
    secrets.filter((text) => bytes.includes(text)),
    [],
  );
  const rootKey = readFileSync(join(server.dataFolder, "root.key"), "utf8").split("\n")[1] ?? "";
  equal(rootKey.length, 64);
  equal(bytes.includes(rootKey) || bytes.includes(Buffer.from(rootKey, "hex")), false);
  // The twin: the same search finds them in the store that the backup was made of.
  await server.halt();
  const database = readFileSync(join(server.dataFolder, "sealpost.db"));
  for (const text of ["Billing-Integration", "Patient-Records", KeyId, "sqs.queue", "SPKR"]) {
    ok(database.includes(text), text);
  }

  const verified = await done(["backup", "verify", file, "--format", "json"]);
  const { rows, epoch } = JSON.parse(verified);
  equal(rows.message_bodies, 40);
  equal(epoch, 1);

  const restored = folderFor(t);
  rmSync(restored, { recursive: true });
  const told = await done(["restore", file, "--data", restored]);
  match(told, /ARE BACK/);
  deepEqual(readdirSync(restored).includes("credentials"), false);
  const newRoot = readFileSync(join(restored, "root.key"), "utf8");
  ok(!newRoot.includes(rootKey), "it has a root key of its own");
  const again = await startRestored(t, restored, server.root);
  const url = queueUrlOn(again, QueueUrl);
  deepEqual(await receiveAll(again, url), sent.toSorted());
  const { Plaintext } = await again.rootClients.kms.decrypt({ CiphertextBlob });
  deepEqual(Buffer.from(Plaintext ?? []), plaintext);
  const asUser = again.clients(user);
  equal((await asUser.sqs.listQueues({})).QueueUrls?.length, 1);
  equal(readFileSync(join(restored, "ca.pem"), "utf8"), server.ca);
  equal((await sealpost(["verify-trail", "--data", restored])).code, 0);
});

test("a backup of a stopped server, and only with its key", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const { QueueUrl = "" } = await server.rootClients.sqs.createQueue({ QueueName: "q" });
  await server.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "one" });
  await server.halt();
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  const target = join(place, "restored");
  const wrong = { SEALPOST_BACKUP_SEAL_PASSPHRASE: "another passphrase altogether" };
  const refused = await sealpost(["restore", file, "--data", target], wrong);
  equal(refused.code, 1);
  match(refused.err, /the passphrase does not open this backup key/);
  equal(existsSync(target), false);
  const missing = await sealpost(["restore", file, "--data", target], {});
  match(missing.err, /SEALPOST_BACKUP_SEAL_PASSPHRASE or --backup-seal-passphrase-file/);
  await done(["restore", file, "--data", target]);
  const again = await startRestored(t, target, server.root);
  deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), ["one"]);
});
