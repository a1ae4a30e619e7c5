// Goal: nothing secret is handed out without its record, and no record of it is lost. Method: the
// pipeline over a state whose audit cannot be written; a real server that is killed while calls that
// hand out secrets are answered, its history compared with the answers.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createPipeline, type State } from "../../src/gateway/pipeline.ts";
import { createRoom } from "../../src/gateway/room.ts";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import type { AnyOperation, ServiceTable } from "../../src/kernel/operation.ts";
import type { RecordView } from "../../src/kernel/records.ts";
import { newDataFolder, removeFolder, startChild } from "../durability/child.ts";
import { accountId, alice, transport } from "./finished.ts";

const view: RecordView = {
  get: async () => undefined,
  list: async () => [],
  count: async () => 0,
  versionOf: () => undefined,
};
const clock = { now: () => 0, at: () => () => {} };
const change = { kind: "some.change" };
const unknownKeyId = "11111111-2222-3333-4444-555555555555";

function operation(name: string, secret: boolean, changes: boolean): AnyOperation {
  return {
    name,
    access: "read",
    audit: { category: "management", readOnly: true, secret },
    resources: () => [],
    handle: () => ({ output: { Plaintext: "secret" }, commands: changes ? [change] : [] }),
  };
}

const operations = [
  operation("Decrypt", true, false),
  operation("CreateAccessKey", true, true),
  operation("ListKeys", false, false),
];
const table: ServiceTable = {
  name: "kms",
  eventSource: "kms.amazonaws.com",
  operations: new Map(operations.map((one) => [one.name, one])),
  accessDenied: { code: "AccessDeniedException", status: 400, printAction: (action) => action },
};

function pipelineOver(auditWorks: () => boolean, onDisk: Promise<void> = Promise.resolve()) {
  const committed: string[][] = [];
  const state = {
    view: () => view,
    takeTurn: async () => ({ giveBack() {} }),
    async commit(_view: unknown, commands: readonly { readonly kind: string }[]) {
      const kinds = commands.map(({ kind }) => kind);
      if (kinds.includes("audit.append") && !auditWorks()) {
        throw new Fault("disk-full", "the disk is full");
      }
      committed.push(kinds);
      await onDisk;
      return [];
    },
  } as unknown as State<RecordView>;
  const pipeline = createPipeline({
    services: new Map([["kms", table]]),
    state,
    authorizer: { authorize: async () => {} },
    auditor: { record: async () => ({ kind: "audit.append" }) },
    clock,
    systemClock: clock,
    room: createRoom(),
    random: { bytes: (length) => Buffer.alloc(length), uuid: () => randomUUID() },
    log: silentLog,
    allowInsecureSse: false,
  });
  const perform = (name: string) =>
    pipeline.perform({
      service: "kms",
      operation: name,
      requestId: "r",
      caller: alice,
      region: "us-east-1",
      accountId,
      transport,
      client: { signal: new AbortController().signal },
      input: {},
    });
  return { perform, committed };
}

test("a secret is not handed out if its record cannot be written", async () => {
  const { perform, committed } = pipelineOver(() => false);
  for (const name of ["Decrypt", "CreateAccessKey"]) {
    await assert.rejects(perform(name), { name: "Fault", kind: "disk-full" });
  }
  assert.deepEqual(committed, []);
  // The twin: a call without secrets goes on, and one with them once the audit works.
  assert.deepEqual(await perform("ListKeys"), { Plaintext: "secret" });
  const working = pipelineOver(() => true);
  assert.deepEqual(await working.perform("Decrypt"), { Plaintext: "secret" });
  assert.deepEqual(await working.perform("CreateAccessKey"), { Plaintext: "secret" });
  assert.deepEqual(working.committed, [["audit.append"], ["some.change", "audit.append"]]);
});

test("an answer without secrets waits for its record as well", async () => {
  const written = Promise.withResolvers<void>();
  const { perform, committed } = pipelineOver(() => true, written.promise);
  let answered = false;
  const answer = perform("ListKeys").then(() => {
    answered = true;
  });
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  assert.deepEqual([committed, answered], [[["audit.append"]], false]);
  written.resolve();
  await answer;
});

test("no record of a call that was answered is lost by kill -9", async () => {
  const folder = newDataFolder();
  try {
    const server = await startChild(folder);
    const { kms } = server.clients;
    const { KeyMetadata } = await kms.createKey({});
    const KeyId = KeyMetadata?.KeyId ?? "";
    // One that hands out a secret, one that only reads, one that is refused.
    const calls = [
      () => kms.generateDataKey({ KeyId, KeySpec: "AES_256" }),
      () => kms.describeKey({ KeyId }),
      () => kms.describeKey({ KeyId: unknownKeyId }).catch(({ $metadata }) => ({ $metadata })),
    ];
    const answered: string[] = [];
    let killed = false;
    const caller = async () => {
      while (!killed) {
        for (const call of calls) {
          const answer = await call().catch(() => undefined);
          if (answer?.$metadata.requestId) answered.push(answer.$metadata.requestId);
        }
        if (answered.length >= 120 && !killed) {
          killed = true;
          await server.kill();
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    const again = await startChild(folder);
    const recorded = new Set<string>();
    let NextToken: string | undefined;
    do {
      const page = await again.clients.cloudtrail.lookupEvents({
        LookupAttributes: [{ AttributeKey: "EventSource", AttributeValue: "kms.amazonaws.com" }],
        NextToken,
      });
      for (const { CloudTrailEvent = "" } of page.Events ?? []) {
        recorded.add(JSON.parse(CloudTrailEvent).requestID);
      }
      NextToken = page.NextToken;
    } while (NextToken);
    assert.deepEqual(
      answered.filter((id) => !recorded.has(id)),
      [],
    );
    await again.stop();
  } finally {
    removeFolder(folder);
  }
});
