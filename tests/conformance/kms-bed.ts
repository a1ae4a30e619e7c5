import { equal, match } from "node:assert/strict";
import { createTokens } from "../../src/assembly/tokens.ts";
import { createRing } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import { createSecretBox } from "../../src/crypto/secretbox.ts";
import { createAuthorizer } from "../../src/gateway/authorize.ts";
import { createPipeline, type PerformRequest } from "../../src/gateway/pipeline.ts";
import { createRoom } from "../../src/gateway/room.ts";
import type { Caller } from "../../src/kernel/caller.ts";
import { assert, Refusal } from "../../src/kernel/errors.ts";
import type { FinishedCall } from "../../src/kernel/finished-call.ts";
import type { Invoke, InvokeIdentity } from "../../src/kernel/invoke.ts";
import { silentLog } from "../../src/kernel/log.ts";
import {
  type Operation,
  operationTable,
  type ServiceEvent,
  type ServiceTable,
} from "../../src/kernel/operation.ts";
import { identities } from "../../src/services/iam/identities.ts";
import {
  accountOfAccessKey,
  createCredentials,
  identityPolicies,
  principals,
} from "../../src/services/iam/ports.ts";
import { createRootCredential } from "../../src/services/iam/root.ts";
import { createIam } from "../../src/services/iam/service.ts";
import type { KeyLastUse, KmsDependencies } from "../../src/services/kms/dependencies.ts";
import { runDueKeyWork } from "../../src/services/kms/due.ts";
import { createRequestQuotas, type QuotaRates } from "../../src/services/kms/quotas.ts";
import { createKms } from "../../src/services/kms/service.ts";
import { createAuthorizationMessages } from "../../src/services/sts/messages.ts";
import { createSts } from "../../src/services/sts/service.ts";
import { createSessionTokens } from "../../src/services/sts/tokens.ts";
import { RecordCache } from "../../src/state/record-cache.ts";
import { openBedStore } from "./kms-bed-store.ts";
import { localVault } from "./kms-memory.ts";

export const accountA = "111111111111";
export const accountB = "222222222222";
export const region = "us-east-1";
export const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);

/**
 * KMS, IAM and STS behind the real pipeline, authoriser, record cache and cryptography, with
 * records in memory (or in PostgreSQL, where tests are to run on it) and a clock that a test moves:
 * for what a socket would only slow down.
 */
export async function createBed(options: { quotas?: QuotaRates } = {}) {
  const clock = { nowMs: startMs };
  const wakes: number[] = [];
  const finished: FinishedCall[] = [];
  const events: ServiceEvent[] = [];
  const forgotten: string[] = [];
  const destroyed: string[] = [];
  const lastUses = new Map<string, KeyLastUse>();
  const tokenKey = systemRandom.bytes(32);
  const ring = createRing(systemRandom);
  const secrets = createSecretBox(ring, systemRandom);
  const sessions = createSessionTokens(secrets, systemRandom);
  const rows = { make: () => Buffer.alloc(0), verify: () => true };
  const state = new RecordCache({ ...(await openBedStore()), rows, entriesMax: 10_000 });
  const now = () => clock.nowMs;
  const kmsDependencies: KmsDependencies = {
    vault: { ...localVault(ring), forget: async (id) => void forgotten.push(id) },
    random: systemRandom,
    principals,
    identityPolicies,
    grantTokens: createTokens(tokenKey, [{ purpose: "tokens", version: 1, key: tokenKey }]),
    quotas: options.quotas && createRequestQuotas(options.quotas),
    lastUse: async ({ arn }) => lastUses.get(arn),
    keyWorkDue: (atMs) => void wakes.push(atMs),
    keyMaterialGone: (arn) => void destroyed.push(arn),
  };
  const clockPort = { now, at: () => () => {} };
  const uses = new Map<string, { atMs: number; service: string; region: string }>();
  const tables: readonly ServiceTable[] = [
    createKms(kmsDependencies),
    createIam({
      random: systemRandom,
      secrets,
      accessKeyUsage: { lastUsed: async (_view, id) => uses.get(id) },
    }),
    createSts({
      identities: { ...identities, accountOfAccessKey },
      sessions,
      providerKeys: { of: async () => [] },
      messages: createAuthorizationMessages(secrets),
      systemClock: clockPort,
    }),
    probeTable((call, target, input) => pipeline.invoke(call, target, input)),
  ];
  const pipeline = createPipeline({
    services: new Map(tables.map((table) => [table.name, table])),
    state,
    authorizer: createAuthorizer({ identityPolicies, clock: clockPort }),
    auditor: {
      async record(call) {
        finished.push(call);
        return undefined;
      },
    },
    clock: clockPort,
    systemClock: clockPort,
    log: silentLog,
    room: createRoom(),
    random: systemRandom,
    allowInsecureSse: false,
  });
  const finding = createCredentials({ secrets, sessions, systemClock: clockPort });
  const credentials = {
    async find(...asked: Parameters<typeof finding.find>) {
      const found = await finding.find(...asked);
      return typeof found === "object" ? found : undefined;
    },
  };
  const roots = new Map<string, Caller>();
  for (const [accountId, name] of [
    [accountA, "alpha"],
    [accountB, "beta"],
  ] as const) {
    const root = createRootCredential(
      { random: systemRandom, secrets },
      { accountId, name, nowMs: startMs },
    );
    await state.commit(state.view(), root.commands);
    const found = await credentials.find(state.view(), root.accessKeyId);
    assert(found, "a root credential works");
    roots.set(accountId, found.caller);
  }
  const root = (accountId: string): Caller => {
    const caller = roots.get(accountId);
    assert(caller, "an account has a root");
    return caller;
  };

  const perform = (caller: Caller, service: string, operation: string, input: object) =>
    pipeline.perform(request(caller, service, operation, input)) as Promise<Answer>;

  return {
    clock,
    state,
    pipeline,
    credentials,
    finished,
    events,
    forgotten,
    destroyed,
    lastUses,
    wakes,
    uses,
    root,
    perform,
    kms: (operation: string, input: object, caller = root(accountA)) =>
      perform(caller, "kms", operation, input),
    iam: (operation: string, input: object, caller = root(accountA)) =>
      perform(caller, "iam", operation, input),
    sts: (operation: string, input: object, caller = root(accountA)) =>
      perform(caller, "sts", operation, input),
    /** A KMS call as a service makes it: with the caller's identity or for one of its resources. */
    through: (as: InvokeIdentity, operation: string, input: object, caller = root(accountA)) =>
      perform(caller, "probe", "Probe", { as, operation, input }),
    /** A user with an access key and, if given, one inline policy; answers its caller. */
    async user(userName: string, policy?: object, accountId = accountA): Promise<Caller> {
      const by = root(accountId);
      await perform(by, "iam", "CreateUser", { UserName: userName });
      if (policy) {
        const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: policy });
        const input = { UserName: userName, PolicyName: "inline", PolicyDocument };
        await perform(by, "iam", "PutUserPolicy", input);
      }
      const created = await perform(by, "iam", "CreateAccessKey", { UserName: userName });
      const key = created.AccessKey as { AccessKeyId: string };
      const found = await credentials.find(state.view(), key.AccessKeyId);
      assert(found, "a new access key works");
      return found.caller;
    },
    /** Moves the clock to `atMs` and carries out what is due. */
    async runDue(atMs: number): Promise<number | undefined> {
      clock.nowMs = atMs;
      return runDueKeyWork(kmsDependencies, {
        now,
        begin() {
          const view = state.view();
          return {
            records: view,
            async commit(commands, done) {
              await state.commit(view, commands);
              events.push(...done);
            },
          };
        },
        keyDestroyed: (arn) => void destroyed.push(arn),
      });
    },
  };

  function request(
    caller: Caller,
    service: string,
    operation: string,
    input: object,
  ): PerformRequest {
    return {
      service,
      operation,
      requestId: systemRandom.uuid(),
      caller,
      region,
      accountId: "accountId" in caller ? caller.accountId : "",
      transport: {
        secure: true,
        signed: true,
        sourceIp: "127.0.0.1",
        userAgent: "test",
        baseUrl: "https://localhost",
        tls: undefined,
      },
      client: { signal: new AbortController().signal },
      input,
    };
  }
}

export type Bed = Awaited<ReturnType<typeof createBed>>;
/** An answer by its wire names; tests look at the members that they asked for. */
export type Answer = Readonly<Record<string, unknown>>;

/** Expects a refusal with this code and text. */
export async function refused(
  act: Promise<unknown>,
  code: string,
  message: string | RegExp,
): Promise<void> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refusal)) throw new Error(`${code} expected, got ${error}`);
  equal(error.code, code, error.message);
  if (typeof message === "string") equal(error.message, message);
  else match(error.message, message);
}

/** A service that does nothing but call KMS as another one would. */
function probeTable(invoke: Invoke): ServiceTable {
  interface Probe {
    readonly as: InvokeIdentity;
    readonly operation: string;
    readonly input: object;
  }
  const probe: Operation<Probe, object> = {
    name: "Probe",
    action: null,
    access: "read",
    audit: { category: "data", readOnly: true },
    resources: () => [],
    handle: ({ as, operation, input }, call) =>
      invoke<object>(call, { service: "kms", operation, as }, input),
  };
  return {
    name: "probe",
    eventSource: "probe.amazonaws.com",
    operations: operationTable([probe]),
    accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
  };
}
