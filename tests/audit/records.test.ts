// Goal: records have CloudTrail's form for every kind of caller and ending. Method: finished calls
// made by hand, the whole record compared.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createAuditor } from "../../src/audit/auditor.ts";
import { truncate } from "../../src/audit/limits.ts";
import type { Caller, Session } from "../../src/kernel/caller.ts";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import type { AnyOperation, ServiceTable } from "../../src/kernel/operation.ts";
import type { AuditEvent } from "../../src/services/cloudtrail/store.ts";
import { accountId, alice, call, finishedCall, transport } from "./finished.ts";

const keyArn = `arn:aws:kms:us-east-1:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const queueArn = `arn:aws:sqs:us-east-1:${accountId}:orders`;
const key = { arn: keyArn, accountId, type: "AWS::KMS::Key" };
const models = new Map([
  ["kms", JSON.parse(readFileSync(new URL("../../models/kms.json", import.meta.url), "utf8"))],
]);

let ids = 0;
/** Begins with the time of the event, 2026-01-02T03:04:05Z and some, as UUID version 7 does. */
const firstEventId = "019b7ca9-8f2e-7000-8000-000000000001";
const nextId = (): string => {
  ids += 1;
  return `00000000-0000-4000-8000-${String(ids).padStart(12, "0")}`;
};
const auditor = createAuditor({
  random: { bytes: (length) => Buffer.alloc(length), uuid: nextId },
  clock: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678), at: () => () => {} },
  models,
  trails: { of: async () => chosen },
});

/** The trails that select every event. */
let chosen: readonly { readonly name: string; readonly region: string }[] = [];

const table: ServiceTable = {
  name: "kms",
  eventSource: "kms.amazonaws.com",
  operations: new Map(),
  accessDenied: { code: "AccessDeniedException", status: 400, printAction: (action) => action },
};

function operation(facts: Partial<AnyOperation> = {}): AnyOperation {
  return {
    name: "GenerateDataKey",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      request: ["KeyId", "KeySpec", "EncryptionContext"],
    },
    resources: () => [],
    handle: () => ({ output: {} }),
    ...facts,
  };
}

const input = {
  KeyId: keyArn,
  KeySpec: "AES_256",
  EncryptionContext: Object.assign(Object.create(null), { "aws:sqs:arn": queueArn }),
  GrantTokens: ["secret"],
};
const output = { Plaintext: Buffer.from("secret"), KeyId: keyArn };

const finished = finishedCall({
  table,
  operation: operation(),
  call: { ...call, via: "sqs.amazonaws.com" },
  input,
  resources: [key],
  result: { outcome: { output } },
});

async function eventsOf(facts: Partial<typeof finished> = {}) {
  ids = 0;
  return (await auditor.record({ ...finished, ...facts }))?.events ?? [];
}

function recordIn(event: AuditEvent | undefined) {
  return JSON.parse(event?.record.join("") ?? "");
}

async function recordOf(facts: Partial<typeof finished> = {}) {
  return recordIn((await eventsOf(facts))[0]);
}

test("a forward access session, as in the fact sheet", async () => {
  const [event, ...others] = await eventsOf();
  assert.equal(others.length, 0);
  assert.deepEqual(recordIn(event), {
    eventVersion: "1.11",
    userIdentity: {
      type: "IAMUser",
      principalId: "AIDAEXAMPLE",
      arn: `arn:aws:iam::${accountId}:user/Alice`,
      accountId,
      accessKeyId: "AKIAEXAMPLE",
      userName: "Alice",
      invokedBy: "sqs.amazonaws.com",
    },
    eventTime: "2026-01-02T03:04:05Z",
    eventSource: "kms.amazonaws.com",
    eventName: "GenerateDataKey",
    awsRegion: "us-east-1",
    sourceIPAddress: "sqs.amazonaws.com",
    userAgent: "sqs.amazonaws.com",
    requestParameters: {
      keyId: keyArn,
      keySpec: "AES_256",
      encryptionContext: { "aws:sqs:arn": queueArn },
    },
    responseElements: null,
    requestID: call.requestId,
    eventID: firstEventId,
    readOnly: true,
    resources: [{ accountId, type: "AWS::KMS::Key", ARN: keyArn }],
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: "Management",
  });
  const { record: _record, ...index } = event ?? {};
  assert.deepEqual(index, {
    accountId,
    region: "us-east-1",
    timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    history: {
      eventId: firstEventId,
      eventName: "GenerateDataKey",
      eventSource: "kms.amazonaws.com",
      username: "Alice",
      accessKeyId: "AKIAEXAMPLE",
      readOnly: true,
      resources: [{ type: "AWS::KMS::Key", name: keyArn }],
    },
    trails: [],
  });
});

test("a call from outside shows its address and its TLS", async () => {
  const record = await recordOf({ call });
  assert.equal(record.sourceIPAddress, "10.0.118.80");
  assert.equal(record.userAgent, "aws-sdk-js/3");
  assert.equal("invokedBy" in record.userIdentity, false);
  assert.deepEqual(record.tlsDetails, {
    tlsVersion: "TLSv1.3",
    cipherSuite: "TLS_AES_128_GCM_SHA256",
    clientProvidedHostHeader: "kms.example:4566",
  });
  const plain = await recordOf({ call: { ...call, transport: { ...transport, tls: undefined } } });
  assert.equal("tlsDetails" in plain, false);
});

test("root, service and stranger", async () => {
  const root = { kind: "root", accountId, arn: `arn:aws:iam::${accountId}:root` } as const;
  const rootCall = {
    ...call,
    caller: { ...root, principalId: accountId, accessKeyId: "AKIAROOT" },
  };
  assert.deepEqual((await recordOf({ call: rootCall })).userIdentity, {
    type: "Root",
    principalId: accountId,
    arn: `arn:aws:iam::${accountId}:root`,
    accountId,
    accessKeyId: "AKIAROOT",
  });
  assert.equal((await eventsOf({ call: rootCall }))[0]?.history?.username, "root");
  const service = {
    ...call,
    caller: {
      kind: "service",
      service: "sns.amazonaws.com",
      sourceArn: "arn:aws:sns:us-east-1:999988887777:t",
      sourceAccountId: "999988887777",
    },
  } as const;
  const record = await recordOf({ call: service });
  assert.deepEqual(record.userIdentity, { type: "AWSService", invokedBy: "sns.amazonaws.com" });
  assert.equal(record.sourceIPAddress, "sns.amazonaws.com");
  assert.equal(record.recipientAccountId, accountId);
  const stranger = { ...call, caller: { kind: "anonymous" } } as const;
  assert.equal((await recordOf({ call: stranger })).userIdentity.accountId, "ANONYMOUS_PRINCIPAL");
  assert.deepEqual(await eventsOf({ call: stranger, resources: [] }), []);
});

const issuedMs = Date.UTC(2026, 0, 2, 3);
const session: Session = {
  issuedMs,
  policy: undefined,
  policyArns: [],
  tags: {},
  transitiveTagKeys: [],
  sourceIdentity: undefined,
  federatedProvider: undefined,
  digest: "",
};

test("sessions: of a role, of a user, federated, and who asks with a provider's token", async () => {
  const arn = `arn:aws:sts::${accountId}:assumed-role/consumer/worker-1`;
  const role: Caller = {
    kind: "role-session",
    accountId,
    arn,
    principalId: "AROAEXAMPLE:worker-1",
    accessKeyId: "ASIAEXAMPLE",
    roleArn: `arn:aws:iam::${accountId}:role/app/consumer`,
    roleName: "consumer",
    roleId: "AROAEXAMPLE",
    sessionName: "worker-1",
    tags: {},
    session: { ...session, sourceIdentity: "Alice" },
  };
  const identityOf = async (caller: Caller) =>
    (await recordOf({ call: { ...call, caller } })).userIdentity;
  const attributes = { creationDate: "2026-01-02T03:00:00Z", mfaAuthenticated: "false" };
  assert.deepEqual(await identityOf(role), {
    type: "AssumedRole",
    principalId: "AROAEXAMPLE:worker-1",
    arn,
    accountId,
    accessKeyId: "ASIAEXAMPLE",
    sessionContext: {
      sessionIssuer: {
        type: "Role",
        principalId: "AROAEXAMPLE",
        arn: `arn:aws:iam::${accountId}:role/app/consumer`,
        accountId,
        userName: "consumer",
      },
      attributes,
      sourceIdentity: "Alice",
    },
  });
  const [event] = await eventsOf({ call: { ...call, caller: role } });
  assert.deepEqual(
    [event?.history?.username, event?.history?.accessKeyId],
    ["worker-1", "ASIAEXAMPLE"],
  );
  const temporary = { ...alice, session } as Caller;
  assert.deepEqual((await identityOf(temporary)).sessionContext, { attributes });
  const federated: Caller = {
    kind: "federated-user",
    accountId,
    arn: `arn:aws:sts::${accountId}:federated-user/Bob`,
    principalId: `${accountId}:Bob`,
    accessKeyId: "ASIABOB",
    name: "Bob",
    parentId: "AIDAEXAMPLE",
    parentArn: alice.kind === "user" ? alice.arn : "",
    parentName: "Alice",
    tags: {},
    session,
  };
  const { type, sessionContext } = await identityOf(federated);
  assert.deepEqual(
    [type, sessionContext.sessionIssuer.type, sessionContext.sessionIssuer.userName],
    ["FederatedUser", "IAMUser", "Alice"],
  );
  const provider = `arn:aws:iam::${accountId}:oidc-provider/accounts.example`;
  const identity = { kind: "web-identity", provider, audience: "app", subject: "s-1" } as const;
  const asked = await recordOf({
    call: { ...call, via: undefined, caller: { kind: "anonymous" } },
    result: { outcome: { output: {}, audit: { identity } } },
  });
  assert.deepEqual(asked.userIdentity, {
    type: "WebIdentityUser",
    principalId: `${provider}:app:s-1`,
    userName: "s-1",
    identityProvider: provider,
  });
});

test("a service outside shows its credential and its address, a private endpoint its name", async () => {
  const outside = {
    kind: "service",
    service: "s3.amazonaws.com",
    sourceArn: "arn:aws:s3:::b",
    sourceAccountId: accountId,
    accessKeyId: "AKIASERVICE",
  } as const;
  const record = await recordOf({ call: { ...call, caller: outside } });
  assert.deepEqual(record.userIdentity, {
    type: "AWSService",
    invokedBy: "s3.amazonaws.com",
    accessKeyId: "AKIASERVICE",
  });
  assert.equal(record.sourceIPAddress, transport.sourceIp);
  const endpoint = { endpointId: "vpce-1", vpcId: undefined, policy: undefined };
  const through = { ...call, transport: { ...transport, endpoint } };
  assert.equal((await recordOf({ call: through })).vpcEndpointId, "vpce-1");
  assert.equal("vpcEndpointId" in (await recordOf({ call })), false);
});

test("denials are AccessDenied, other refusals keep their code, faults tell no details", async () => {
  const denial = { action: "kms:Decrypt", resource: keyArn, reason: "", explicit: false };
  const text = "User: x is not authorized to perform: kms:Decrypt";
  const options = { denial: { ...denial, statements: [] } };
  const denied = await recordOf({
    result: { error: new Refusal("AccessDeniedException", text, options) },
  });
  assert.equal(denied.errorCode, "AccessDenied");
  assert.equal(denied.errorMessage, text);
  assert.equal(denied.responseElements, null);
  assert.equal(denied.requestParameters.keyId, keyArn);
  const disabled = new Refusal("DisabledException", `${keyArn} is disabled.`);
  assert.equal((await recordOf({ result: { error: disabled } })).errorCode, "DisabledException");
  // The twin: the code alone makes no denial.
  const other = new Refusal("AccessDeniedException", "ciphertext refers to a key that …");
  assert.equal((await recordOf({ result: { error: other } })).errorCode, "AccessDeniedException");
  const fault = await recordOf({ result: { error: new Fault("disk-full", "/data is full") } });
  assert.equal(fault.errorCode, "InternalFailure");
  assert.equal(fault.errorMessage.includes("/data"), false);
});

test("both accounts are told of a call across accounts, the owner without names", async () => {
  const owner = "999988887777";
  const foreignKey = { ...key, accountId: owner };
  const events = await eventsOf({ resources: [foreignKey] });
  const [own, copy] = events.map(recordIn);
  assert.deepEqual(
    events.map((event) => [event.accountId, event.history?.username]),
    [
      [accountId, "Alice"],
      [owner, ""],
    ],
  );
  assert.equal(own.sharedEventID, copy.sharedEventID);
  assert.notEqual(own.eventID, copy.eventID);
  assert.deepEqual(copy.userIdentity, {
    type: "AWSAccount",
    principalId: alice.kind === "user" ? alice.principalId : "",
    accountId,
    invokedBy: "sqs.amazonaws.com",
  });
  const denial = { action: "a", resource: "r", reason: "", explicit: false, statements: [] };
  const error = new Refusal("AccessDeniedException", "no", { denial });
  const denied = await eventsOf({ resources: [foreignKey], result: { error } });
  assert.deepEqual(
    denied.map((event) => event.accountId),
    [accountId],
  );
});

test("data events are recorded where a trail selects them, and are no part of the history", async () => {
  const audit = { category: "data", readOnly: false } as const;
  assert.deepEqual(await eventsOf({ operation: operation({ audit }) }), []);
  chosen = [{ name: "main", region: "us-east-1" }];
  const [event] = await eventsOf({ operation: operation({ audit }) });
  chosen = [];
  assert.equal(event?.history, undefined);
  assert.deepEqual(event?.trails, [{ name: "main", region: "us-east-1" }]);
  const record = recordIn(event);
  assert.deepEqual([record.eventCategory, record.managementEvent], ["Data", false]);
});

test("structures get small letters, maps keep their keys, dates are customary", async () => {
  const audit = {
    category: "management",
    readOnly: false,
    request: ["Tags"],
    response: ["KeyMetadata"],
  } as const;
  const record = await recordOf({
    operation: operation({ name: "CreateKey", audit }),
    input: { Tags: [{ TagKey: "Team", TagValue: "A" }] },
    result: {
      outcome: {
        output: { KeyMetadata: { KeyId: "k", CreationDate: Date.UTC(2022, 7, 10, 22, 38, 27) } },
      },
    },
  });
  assert.deepEqual(record.requestParameters, { tags: [{ tagKey: "Team", tagValue: "A" }] });
  assert.deepEqual(record.responseElements, {
    keyMetadata: { keyId: "k", creationDate: "Aug 10, 2022, 10:38:27 PM" },
  });
});

test("what is too long is cut or left out", async () => {
  const long = { ...call, transport: { ...transport, userAgent: "ä".repeat(2000) } };
  const record = await recordOf({ call: long, input: { ...input, KeySpec: "x".repeat(200_000) } });
  assert.equal(Buffer.byteLength(record.userAgent), 1024);
  assert.equal(record.requestParameters.omitted, true);
  assert.equal(truncate("aä", 2), "a");
  assert.equal(truncate("aä", 3), "aä");
  const resources = Array.from({ length: 3000 }, (_, index) => ({ ...key, arn: keyArn + index }));
  const [event] = await eventsOf({ resources });
  assert.ok((event?.record.length ?? 0) < 256 * 1024);
});

test("a service event", async () => {
  ids = 0;
  const { events } = await auditor.serviceEvent(call.records, {
    accountId,
    region: "us-east-1",
    eventSource: "kms.amazonaws.com",
    eventName: "DeleteKey",
    resources: [key],
    serviceEventDetails: { keyId: "1234abcd" },
  });
  const record = recordIn(events[0]);
  assert.equal(record.eventType, "AwsServiceEvent");
  assert.deepEqual(record.userIdentity, { accountId, invokedBy: "AWS Internal" });
  assert.equal(record.sourceIPAddress, "AWS Internal");
  assert.deepEqual(record.serviceEventDetails, { keyId: "1234abcd" });
  assert.equal(record.readOnly, false);
});
