// Goal: key material that goes while messages are being sent: each send is either acknowledged and
// stays readable once the material is back, or tells the true reason; none is lost or half done.
// Method: an imported key, senders over the real SDK all the while, its material deleted under them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { importTarget, wrapMaterial } from "../harness/import-key.ts";
import { newScene, type Scene } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const senders = 8;

test("material deleted under senders", async () => {
  const { kms, sqs } = scene.server.rootClients;
  const target = await importTarget(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const { KeyId } = target;
  const [aesKey, wrapped] = wrapMaterial(randomBytes(32));
  await target.send(aesKey, wrapped);
  const queue = await scene.queue("imported", { KmsMasterKeyId: KeyId });
  const acknowledged: string[] = [];
  const refusals = new Set<string>();
  let sending = true;
  const sendAll = async (sender: number) => {
    for (let number = 0; sending; number += 1) {
      const MessageBody = `${sender}:${number}`;
      try {
        await sqs.sendMessage({ QueueUrl: queue.url, MessageBody });
        acknowledged.push(MessageBody);
      } catch (error) {
        refusals.add(error instanceof Error ? error.name : String(error));
      }
    }
  };
  const all = Promise.all(Array.from({ length: senders }, (_, sender) => sendAll(sender)));
  while (acknowledged.length < 40) await new Promise(setImmediate);
  await kms.deleteImportedKeyMaterial({ KeyId });
  // From its answer on nothing more is sealed under what it opened.
  const countAtOnce = acknowledged.length;
  while (refusals.size === 0) await new Promise(setImmediate);
  sending = false;
  await all;
  assert.deepEqual([...refusals], ["KmsInvalidState"]);
  assert.ok(acknowledged.length - countAtOnce < senders, "only what was on its way then");
  await target.send(aesKey, wrapped);
  const received: string[] = [];
  while (received.length < acknowledged.length) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl: queue.url,
      MaxNumberOfMessages: 10,
    });
    assert.notEqual(Messages.length, 0, "each acknowledged message comes");
    received.push(...Messages.map(({ Body = "" }) => Body));
  }
  assert.deepEqual(received.toSorted(), acknowledged.toSorted());
});
