// Goal: a backup can be handed to another installation under a key that it named: its own file, or a
// key of its own KMS; who was not named opens nothing. Method: two installations; the second makes
// a backup key, the first rewraps for it, and the second restores what the first cannot open any
// more.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeHeader } from "../../src/backup/header.ts";
import {
  done,
  environment,
  folderFor,
  queueUrlOn,
  receiveAll,
  sealpost,
  start,
  startRestored,
  withKey,
} from "./scene.ts";

function payloadOf(file: string): Buffer {
  const bytes = readFileSync(file);
  return bytes.subarray(decodeHeader(bytes)?.bytes);
}

test("handed over under a key of the other side's KMS", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const { QueueUrl = "" } = await server.rootClients.sqs.createQueue({ QueueName: "q" });
  await server.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "for you" });
  const own = join(place, "own.backup");
  await done(["backup", own, "--backup-key", key, "--data", server.dataFolder]);

  const other = await start(t, folderFor(t));
  const { KeyMetadata } = await other.rootClients.kms.createKey({ Description: "backups" });
  const arn = KeyMetadata?.Arn ?? "";
  const theirs = join(place, "theirs.key");
  const kms = [
    ...["--backup-seal-kms-key", arn, "--backup-seal-kms-endpoint", other.httpsUrl],
    ...["--backup-seal-kms-ca", join(other.dataFolder, "ca.pem")],
  ];
  const credentials = {
    SEALPOST_BACKUP_SEAL_AWS_ACCESS_KEY_ID: other.root.accessKeyId,
    SEALPOST_BACKUP_SEAL_AWS_SECRET_ACCESS_KEY: other.root.secretAccessKey,
  };
  await done(["backup", "key", theirs, "--seal", "aws-kms", ...kms], credentials);
  const half = join(place, "theirs.public");
  await done(["backup", "public-key", theirs, half]);
  ok(!readFileSync(half, "utf8").includes("storedSeal"));

  const handed = join(place, "handed.backup");
  await done(["backup", "rewrap", own, handed, "--for", half]);
  const [before, after] = [payloadOf(own), payloadOf(handed)];
  ok(before.length > 10_000 && before.equals(after), "the payload is the same");

  const target = join(place, "target");
  const mine = await sealpost(["restore", handed, "--data", target, "--backup-key", key]);
  equal(mine.code, 1);
  match(mine.err, /is not for the backup key/);
  equal(existsSync(target), false);
  const half_ = ["restore", handed, "--data", target, "--backup-key", half];
  match((await sealpost(half_)).err, /holds its public half only/);

  const restore = ["restore", handed, "--data", target, "--backup-key", theirs, ...kms];
  await done(restore, credentials);
  const again = await startRestored(t, target, server.root);
  deepEqual(await receiveAll(again, queueUrlOn(again, QueueUrl)), ["for you"]);
  const { Events = [] } = await other.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "Decrypt" }],
  });
  ok(Events.length > 0, "the other side's audit shows that its key opened the backup");

  // The twin: without the right to that key nothing opens.
  await other.rootClients.kms.disableKey({ KeyId: arn });
  const disabled = [...restore.slice(0, 3), join(place, "t2"), ...restore.slice(4)];
  const refused = await sealpost(disabled, credentials);
  equal(refused.code, 1);
  match(refused.err, /DisabledException|disabled/i);
});

test("a backup for two keys opens with either, and a public half is enough to make one", async (t) => {
  const { place, key } = await withKey(t);
  const second = join(place, "second.key");
  await done(["backup", "key", second, "--seal", "file"]);
  const half = join(place, "second.public");
  await done(["backup", "public-key", second, half]);
  const server = await start(t);
  const file = join(place, "b");
  const keys = ["--backup-key", key, "--backup-key", half];
  await done(["backup", file, ...keys, "--data", server.dataFolder]);
  await done(["backup", "verify", file, "--backup-key", key], environment);
  await done(["backup", "verify", file, "--backup-key", second], {});
  await done(["backup", "verify", file], environment);
  const again = await sealpost(["backup", file, ...keys, "--data", server.dataFolder]);
  match(again.err, /is there already/);
  equal((await sealpost(["backup", "key", key])).code, 1);
});
