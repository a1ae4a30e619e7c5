import type { Call, Transport } from "../../src/kernel/call.ts";
import type { Caller } from "../../src/kernel/caller.ts";
import type { FinishedCall } from "../../src/kernel/finished-call.ts";

export const accountId = "111122223333";

export const alice: Caller = {
  kind: "user",
  accountId,
  arn: `arn:aws:iam::${accountId}:user/Alice`,
  principalId: "AIDAEXAMPLE",
  accessKeyId: "AKIAEXAMPLE",
  userName: "Alice",
  tags: {},
};

export const transport: Transport = {
  secure: true,
  signed: true,
  sourceIp: "10.0.118.80",
  userAgent: "aws-sdk-js/3",
  baseUrl: "https://kms.example:4566",
  tls: { version: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256" },
};

export const call: Call = {
  requestId: "c8a5b8b0-0000-4000-8000-000000000001",
  service: "kms",
  operation: "Decrypt",
  caller: alice,
  region: "us-east-1",
  accountId,
  now: Date.UTC(2026, 0, 2),
  arrivedSystemMs: Date.UTC(2026, 0, 2),
  transport,
  via: undefined,
  signal: new AbortController().signal,
  records: {
    get: async () => undefined,
    list: async () => [],
    count: async () => 0,
    versionOf: () => undefined,
  },
  reserve() {},
  commit: async () => {
    throw new Error("not in this test");
  },
};

/** A finished call of Alice, with what the test says differently. */
export function finishedCall(
  facts: Omit<FinishedCall, "call" | "resources"> & Partial<FinishedCall>,
): FinishedCall {
  return { call, resources: [], ...facts };
}
