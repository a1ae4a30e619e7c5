// Goal: the space of deleted messages is used again, and can be given back to the file system.
// Method: messages are stored, deleted and stored again in a file whose size is looked at. The
// twins: what was not deleted needs room of its own, and without a compaction the file keeps its size.
import { deepEqual, equal, ok } from "node:assert/strict";
import { statSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { Store } from "../../src/kernel/command.ts";
import type { CompactStore, StoreSpace } from "../../src/kernel/space.ts";
import type { QueueIdentity } from "../../src/services/sqs/store.ts";
import * as fixtures from "./contract/fixtures.ts";
import { newPath, storeAt } from "./folder.ts";

const count = 200;
const bytes = Buffer.alloc(50_000, 7);
const compact: CompactStore = { kind: "store.compact", bytesMax: 2 ** 20 };

async function fill(store: Store, queue: QueueIdentity): Promise<void> {
  const sealed = { dataKeyId: "key-1", bytes } as never;
  for (let n = 0; n < count; n += 10) {
    const messages = Array.from({ length: 10 }, (_, at) =>
      fixtures.messageNamed(`m${n + at}`, "key-1", 1000, { sealed }),
    );
    await fixtures.commit(store, fixtures.insertInto(queue, ...messages));
  }
}

async function drain(store: Store, queue: QueueIdentity): Promise<number> {
  for (let drained = 0; ; ) {
    const claimId = `c${drained}`;
    const [claimed] = await fixtures.commit(store, fixtures.claimFrom(queue, 2000, claimId));
    if (claimed.messages.length === 0) return drained;
    const messages = claimed.messages.map(({ sequence }) => ({ sequence, claimId }));
    await fixtures.commit(store, { kind: "sqs.delete", queue, messages });
    drained += messages.length;
  }
}

async function space(store: Store): Promise<StoreSpace> {
  const [it] = await fixtures.commit(store, { ...compact, bytesMax: 1 });
  return it;
}

async function withFile(context: TestContext) {
  const path = newPath();
  const store = await storeAt(context, path);
  await fixtures.commit(store, fixtures.putDataKey(fixtures.dataKeyNamed("key-1")));
  return { path, store, queue: fixtures.queueNamed() };
}

test("the space of deleted messages is used again", async (context) => {
  const { store, queue } = await withFile(context);
  await fill(store, queue);
  const { fileBytes: filled } = await space(store);
  ok(filled > count * bytes.length);
  for (let round = 0; round < 3; round++) {
    equal(await drain(store, queue), count);
    await fixtures.commit(store, { kind: "sqs.sweep", rowsMax: 500 });
    await fill(store, queue);
  }
  const { fileBytes: again } = await space(store);
  ok(again < filled * 1.1, `${again} bytes after three rounds, ${filled} after the first`);
  await fill(store, queue);
  ok((await space(store)).fileBytes > filled * 1.8, "the twin: nothing was deleted");
});

test("a compaction gives free space back, step by step, and loses nothing", async (context) => {
  const { path, store, queue } = await withFile(context);
  const kept = fixtures.queueNamed();
  await fill(store, queue);
  await fill(store, kept);
  equal(await drain(store, queue), count);
  await fixtures.commit(store, { kind: "sqs.sweep", rowsMax: 500 });
  const { fileBytes: before, freeBytes: gained } = await space(store);
  ok(gained > count * bytes.length * 0.9);
  ok(statSync(path).size > before * 0.9, "the twin: it stays as large by itself");
  const sizes: number[] = [];
  for (;;) {
    const [{ freeBytes, fileBytes }] = await fixtures.commit(store, compact);
    equal(statSync(path).size, fileBytes, "the file system has it back at once");
    sizes.push(fileBytes);
    if (freeBytes === 0) break;
  }
  ok(sizes.length > 5, "in steps");
  deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  );
  ok((sizes.at(-1) ?? before) < before * 0.6);
  equal(await drain(store, kept), count, "what was kept is there");
});
