import { createHash, randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { systemRandom } from "../../src/crypto/random.ts";
import { createSecretBox } from "../../src/crypto/secretbox.ts";
import { createPipeline } from "../../src/gateway/pipeline.ts";
import { createRoom, type Room } from "../../src/gateway/room.ts";
import { wholeBody } from "../../src/kernel/body.ts";
import type { Caller } from "../../src/kernel/caller.ts";
import type { Command } from "../../src/kernel/command.ts";
import type { Gap } from "../../src/kernel/gapped.ts";
import type { Invoke } from "../../src/kernel/invoke.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { operationTable, type ServiceTable } from "../../src/kernel/operation.ts";
import type { SharedText } from "../../src/kernel/shared-text.ts";
import type { DataKeySource } from "../../src/sealing/data-key-sources.ts";
import { createSealer } from "../../src/sealing/sealer.ts";
import { createTopicTurns } from "../../src/services/sns/fifo-publishing.ts";
import type { Carriers, SnsDependencies } from "../../src/services/sns/ports.ts";
import { createSns } from "../../src/services/sns/service.ts";
import type { ListUndelivered, UndeliveredRow } from "../../src/services/sns/store.ts";
import type { InsertedText } from "../../src/services/sqs/message-body.ts";
import { rememberSignatures } from "../../src/signing/remembered.ts";
import { RecordCache } from "../../src/state/record-cache.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { type Redeliver, startRedeliver } from "../../src/workers/redeliver.ts";
import { type HandClock, handClock } from "../sqs/hand-clock.ts";

export const accountId = "123456789012";
const region = "us-east-1";
export const queueArn = `arn:aws:sqs:${region}:${accountId}:q`;

const alice: Caller = {
  kind: "user",
  accountId,
  arn: `arn:aws:iam::${accountId}:user/alice`,
  principalId: "AIDAALICE",
  accessKeyId: "AKIAEXAMPLE",
  userName: "alice",
  tags: {},
};

export interface Sent {
  readonly MessageBody: string;
  readonly QueueUrl: string;
  readonly shared?: SharedText;
  readonly gap?: Gap | undefined;
  readonly inserted?: InsertedText;
}

export interface InProcess {
  readonly clock: HandClock;
  /** Bodies that reached a queue, once their commit is durable. */
  readonly sent: Sent[];
  /** What the queue and the keys do instead of working. */
  readonly failing: {
    queue?: Error;
    onlyQueue?: string;
    topicKey?: Error;
    /** Signatures wait for it. */
    signing?: Promise<unknown>;
  };
  readonly counts: Map<string, number>;
  readonly warnings: { readonly message: string; readonly text: string }[];
  readonly redeliver: Redeliver;
  /** Closes every data key that the sealer remembers, as a restart does. */
  forgetDataKeys(): void;
  /** How often a topic's data key was opened. */
  readonly opened: { count: number };
  /** Bodies that were sealed under topics' data keys. */
  readonly sealed: { count: number };
  /** Durable acts so far. */
  readonly commits: { count: number };
  readonly signatures: { count: number };
  readonly statusEvents: { readonly group: string; readonly event: object }[];
  undelivered(): Promise<readonly UndeliveredRow[]>;
  commit(commands: readonly Command[]): Promise<unknown>;
  call<O>(operation: string, input: object): Promise<O>;
}

export interface InProcessOptions {
  readonly carriers?: Carriers;
  readonly undeliveredRetentionMs?: number;
  readonly room?: Room;
}

const nowhere = async () => {
  throw new Error("no test of this file delivers outside");
};
const noCarriers: Carriers = { http: nowhere, lambda: nowhere, mail: nowhere };

/**
 * SNS and its worker over the real store, record cache, sealer and pipeline; a switchable queue and
 * switchable keys stand for SQS and KMS.
 */
export async function snsInProcess(
  t: TestContext,
  options: InProcessOptions = {},
): Promise<InProcess> {
  const commits = { count: 0 };
  const signatures = { count: 0 };
  const store = await openSqliteStore({ path: ":memory:", log: silentLog });
  t.after(() => store.close());
  const commitPlain = store.commit.bind(store);
  store.commit = (request) => {
    commits.count += 1;
    return commitPlain(request);
  };
  const clock = handClock();
  const failing: InProcess["failing"] = {};
  const sent: Sent[] = [];
  const counts: InProcess["counts"] = new Map();
  const warnings: { message: string; text: string }[] = [];
  const opened = { count: 0 };
  const sealed = { count: 0 };
  const statusEvents: InProcess["statusEvents"] = [];
  const carriers = options.carriers ?? noCarriers;
  const log = {
    ...silentLog,
    warn: (message: string, facts?: object) => {
      warnings.push({ message, text: JSON.stringify(facts) });
    },
  };
  const rows = { make: () => Buffer.alloc(32), verify: () => true };
  const state = new RecordCache({ store, rows, entriesMax: 1000 });
  const source = dataKeySource(failing, opened);
  const sealer = createSealer({
    random: systemRandom,
    sources: { kms: source, owned: source, installation: source },
  });
  const knot: { invoke?: Invoke; retryAt?: Redeliver["wake"] } = {};
  const sns: SnsDependencies = {
    sealer: {
      ...sealer,
      seal(call, place, bodies) {
        sealed.count += bodies.length;
        return sealer.seal(call, place, bodies);
      },
    },
    fifoTurns: createTopicTurns(),
    invoke: (call, target, input) => {
      if (!knot.invoke) throw new Error("too early");
      return knot.invoke(call, target, input);
    },
    signer: rememberSignatures({
      signer: {
        async sign() {
          signatures.count += 1;
          await failing.signing;
          return "c2ln";
        },
        certificateUrl: () => "https://localhost/x.pem",
        async prepare() {},
      },
      log,
    }),
    principals: { resolve: async () => undefined },
    random: systemRandom,
    metrics: {
      count: (_topic, metric, by) => counts.set(metric, (counts.get(metric) ?? 0) + by),
    },
    secrets: createSecretBox(
      [{ purpose: "secrets", version: 1, key: Buffer.alloc(32, 7) }],
      systemRandom,
    ),
    undeliveredRetentionMs: options.undeliveredRetentionMs ?? 4 * 86_400_000,
    ask: (query) => store.query(query),
    statusLog: { write: (group, event) => statusEvents.push({ group, event }) },
    log,
    digests: { of: (text) => [createHash("sha256").update(text).digest()] },
    places: { make: () => Buffer.alloc(16), verify: () => true },
    publicUrl: () => "https://localhost:4566",
    retryAt: (arn, atMs) => knot.retryAt?.(arn, atMs),
  };
  const tables = [createSns(sns), queueTable(failing, sent)];
  const pipeline = createPipeline({
    services: new Map(tables.map((table) => [table.name, table])),
    state,
    authorizer: { authorize: async () => {} },
    auditor: { record: async () => undefined },
    clock,
    systemClock: clock,
    room: options.room ?? createRoom(),
    random: systemRandom,
    log,
    allowInsecureSse: false,
  });
  knot.invoke = pipeline.invoke;
  const commit = (commands: readonly Command[]) => state.commit(undefined, commands);
  const redeliver = startRedeliver({
    deps: {
      ...sns,
      carriers,
      runAsService: (session, act) => pipeline.runAs(session, act),
    },
    clock,
    log,
    commit,
  });
  t.after(() => redeliver.stop());
  knot.retryAt = redeliver.wake;
  return {
    clock,
    sent,
    failing,
    counts,
    warnings,
    redeliver,
    opened,
    sealed,
    commits,
    signatures,
    statusEvents,
    commit,
    forgetDataKeys: () => sealer.close(),
    undelivered: () =>
      store.query<ListUndelivered>({ kind: "sns.undelivered.list", accountId, limit: 1000 }),
    async call<O>(operation: string, input: object) {
      const answer = await pipeline.perform({
        service: "sns",
        operation,
        requestId: randomUUID(),
        caller: alice,
        region,
        accountId,
        transport: {
          secure: true,
          signed: true,
          sourceIp: "127.0.0.1",
          userAgent: "test",
          baseUrl: "https://localhost:4566",
          tls: undefined,
        },
        client: { signal: new AbortController().signal },
        input,
      });
      // Tests name the shape of the operation that they call.
      return answer as O;
    },
  };
}

/** As the queue would have it. */
function whole(input: Sent): Sent {
  const { MessageBody, shared, inserted } = input;
  if (!inserted) return input;
  const gap = shared?.gap;
  const bytes = Buffer.from(MessageBody);
  const insertion = { before: inserted.before, bytes: Buffer.from(inserted.text) };
  return { ...input, gap, MessageBody: String(wholeBody({ bytes, insertion })) };
}

function queueTable(failing: InProcess["failing"], sent: Sent[]): ServiceTable {
  return {
    name: "sqs",
    eventSource: "sqs.amazonaws.com",
    operations: operationTable([
      {
        name: "SendMessage",
        access: "write",
        audit: { category: "data", readOnly: false },
        resources: () => [],
        handle(input: Sent) {
          const { queue, onlyQueue } = failing;
          if (queue && (!onlyQueue || input.QueueUrl.endsWith(onlyQueue))) throw queue;
          // Something to commit, as a message in a queue would be.
          const command = { kind: "meta.put", name: "sent", value: Buffer.from("x") };
          return { output: {}, commands: [command], committed: () => void sent.push(whole(input)) };
        },
      },
    ]),
    accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
  };
}

/** Data keys in the clear: these tests are about what happens when one cannot be had. */
function dataKeySource(failing: InProcess["failing"], opened: InProcess["opened"]): DataKeySource {
  return {
    async generate() {
      if (failing.topicKey) throw failing.topicKey;
      const plaintext = systemRandom.bytes(32);
      return { plaintext, blob: Buffer.from(plaintext), keyArn: "key" };
    },
    async open(_call, _place, { blob }) {
      opened.count += 1;
      if (failing.topicKey) throw failing.topicKey;
      return Buffer.from(blob);
    },
  };
}
