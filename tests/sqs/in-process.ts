import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { TestContext } from "node:test";
import { createPipeline } from "../../src/gateway/pipeline.ts";
import { createRoom } from "../../src/gateway/room.ts";
import type { Caller } from "../../src/kernel/caller.ts";
import type { FillGap } from "../../src/kernel/gapped.ts";
import { type LogFacts, silentLog } from "../../src/kernel/log.ts";
import type { ResourceUse } from "../../src/kernel/operation.ts";
import type { DataKeySource } from "../../src/sealing/data-key-sources.ts";
import { createSealer } from "../../src/sealing/sealer.ts";
import {
  createSqs,
  type PlaceMacs,
  type Sqs,
  type Tokens,
} from "../../src/services/sqs/service.ts";
import { RecordCache, type RowMacs } from "../../src/state/record-cache.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/open.ts";
import { type HandClock, handClock } from "./hand-clock.ts";

export const region = "us-east-1";
export const accountId = "123456789012";

export function userNamed(userName: string, account = accountId): Caller {
  return {
    kind: "user",
    accountId: account,
    arn: `arn:aws:iam::${account}:user/${userName}`,
    principalId: `AIDA${userName.toUpperCase()}`,
    accessKeyId: "AKIAEXAMPLE",
    userName,
    tags: {},
  };
}

export interface InProcess {
  readonly sqs: Sqs;
  readonly store: SqliteStore;
  readonly clock: HandClock;
  readonly systemClock: HandClock;
  readonly logged: { readonly message: string; readonly facts: LogFacts | undefined }[];
  /** Stands for KMS: what it throws on making and opening data keys. */
  readonly kms: {
    generate?: (keyId: string) => void;
    open?: (keyArn: string) => void;
    /** A key that is no more. */
    gone?: string;
  };
  /** What the pipeline was asked to authorise, per call. */
  readonly uses: (readonly ResourceUse[])[];
  /** Stands for the service that left a gap in a body. */
  fillGap: FillGap;
  call<O>(operation: string, input: object, options?: CallOptions): Promise<O>;
  /** A round of the move tasks. */
  moveMessages(): Promise<number | undefined>;
  /** The service anew on the same store and clocks, as after a restart. */
  restart(): InProcess;
}

export interface CallOptions {
  readonly caller?: Caller;
  readonly signal?: AbortSignal;
}

/**
 * SQS over the real store, record cache, sealer and pipeline; without network, authorisation and
 * KMS, whose place a switchable source of data keys takes.
 */
export async function sqsInProcess(t: TestContext): Promise<InProcess> {
  const store = await openSqliteStore({ path: ":memory:", log: silentLog });
  t.after(() => store.close());
  return serviceOn({ store, clock: handClock(), systemClock: handClock() });
}

type Ground = Pick<InProcess, "store" | "clock" | "systemClock">;

/** The service on a store that is open already. */
export function serviceOn(ground: Ground): InProcess {
  const { store, clock, systemClock } = ground;
  const logged: InProcess["logged"] = [];
  const log = {
    ...silentLog,
    error: (message: string, facts?: LogFacts) => {
      logged.push({ message, facts });
    },
  };
  const random = { bytes: (length: number) => randomBytes(length), uuid: () => randomUUID() };
  const state = new RecordCache({ store, rows: macs.rows, entriesMax: 10_000 });
  const kms: InProcess["kms"] = {};
  const source = dataKeySource(kms);
  const sources = { kms: source, owned: source, installation: source };
  const sealer = createSealer({ sources, random });
  const filling: Pick<InProcess, "fillGap"> = {
    fillGap: async ({ gap }) => Buffer.alloc(gap.bytes, gap.note),
  };
  const sqs = createSqs({
    store,
    state,
    sealer,
    sealingKeys: { isGone: async (_records, keyArn) => keyArn === kms.gone },
    fillGap: (body) => filling.fillGap(body),
    clock,
    systemClock,
    random,
    principals: { resolve: async (_view, arn) => (arn.includes("nobody") ? undefined : "AIDAX") },
    tokens: macs.tokens,
    places: macs.places,
    digests: { of: (text) => [mac("digest", Buffer.from(text))] },
    log,
    options: { requireDecryptToSend: false },
    moveTaskDue() {},
  });
  const uses: InProcess["uses"] = [];
  const pipeline = createPipeline({
    services: new Map([["sqs", sqs.table]]),
    state,
    authorizer: {
      async authorize(_table, _operation, resources) {
        uses.push(resources);
      },
    },
    auditor: { record: async () => undefined },
    clock,
    systemClock,
    room: createRoom(),
    random,
    log,
    allowInsecureSse: false,
  });
  return Object.assign(filling, {
    sqs,
    store,
    clock,
    systemClock,
    logged,
    kms,
    uses,
    moveMessages: sqs.jobs.takeUpMoves(),
    restart: () => serviceOn(ground),
    async call<O>(operation: string, input: object, options: CallOptions = {}) {
      const answer = await pipeline.perform({
        service: "sqs",
        operation,
        requestId: randomUUID(),
        caller: options.caller ?? userNamed("alice"),
        region,
        accountId,
        transport,
        client: { signal: options.signal ?? new AbortController().signal },
        input,
      });
      // Tests name the shape of the operation that they call.
      return answer as O;
    },
  });
}

const transport = {
  secure: true,
  signed: true,
  sourceIp: "127.0.0.1",
  userAgent: "test",
  baseUrl: "https://localhost:4566",
  tls: undefined,
};

/** Data keys in the clear, which is all that a test without KMS needs. */
function dataKeySource(kms: InProcess["kms"]): DataKeySource {
  return {
    async generate(_call, { encryption }) {
      const keyArn = encryption.mode === "kms" ? encryption.keyId : encryption.mode;
      kms.generate?.(keyArn);
      const plaintext = randomBytes(32);
      return { plaintext, blob: Buffer.from(plaintext), keyArn };
    },
    async open(_call, _place, { keyArn, blob }) {
      kms.open?.(keyArn);
      return Buffer.from(blob);
    },
  };
}

const mac = (text: string, bytes: Uint8Array) =>
  createHmac("sha256", "test key").update(text).update(bytes).digest();
const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && timingSafeEqual(a, b);
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

const rowMac: RowMacs["make"] = (row) =>
  mac(
    JSON.stringify([row.accountId, row.region, row.kind, row.id, row.version]),
    Buffer.from(row.content),
  );

const macs: { rows: RowMacs; tokens: Tokens; places: PlaceMacs } = {
  rows: { make: rowMac, verify: (row) => equal(rowMac(row), row.mac) },
  tokens: {
    sign: (bytes) => mac("token", bytes),
    verify: (bytes, given) => equal(mac("token", bytes), given),
  },
  places: {
    make: (queueId, messageId, envelope) => mac(`${queueId} ${messageId}`, digest(envelope)),
    verify: (queueId, messageId, envelope, given) =>
      equal(mac(`${queueId} ${messageId}`, digest(envelope)), given),
  },
};
