import type { Call } from "../../kernel/call.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import type { AnyOperation, ResourceUse } from "../../kernel/operation.ts";
import { refuse } from "./refusals.ts";

/** Requests per second by group. AWS: service quotas of KMS; a shared one per kind of key. */
export type QuotaRates = Readonly<Record<string, number>>;

/** `aws,symmetric=100` → what differs from AWS's quotas; undefined: `off`. */
export function quotaRates(text: string): QuotaRates | undefined {
  if (text === "off") return undefined;
  const changed = text.split(",").slice(1);
  return Object.fromEntries(
    changed.map((entry) => {
      const [group = "", rate] = entry.split("=");
      return [group, Number(rate)];
    }),
  );
}

/** Counts requests per account, region and group on the service clock. */
export interface RequestQuotas {
  /** Whether `count` more requests fit now. */
  take(
    account: string,
    region: string,
    group: string,
    count: number,
    nowMs: EpochMs,
  ): boolean | Promise<boolean>;
}

interface Bucket {
  tokens: number;
  atMs: EpochMs;
}

/** AWS: symmetric quota by region; everywhere else 5,500. */
const symmetricRates: Readonly<Record<string, number>> = {
  "us-east-1": 50_000,
  "us-west-2": 50_000,
  "eu-west-1": 50_000,
  "us-east-2": 10_000,
  "ap-southeast-1": 10_000,
  "ap-southeast-2": 10_000,
  "ap-northeast-1": 10_000,
  "eu-central-1": 10_000,
  "eu-west-2": 10_000,
};

/** AWS?: of RSA and ECC the newer values. */
const awsRates: QuotaRates = {
  symmetric: 5500,
  rsa: 1000,
  ecc: 1000,
  mldsa: 1000,
  DescribeKey: 2000,
  GetPublicKey: 2000,
  ListResourceTags: 2000,
  GetKeyPolicy: 1000,
  GetKeyRotationStatus: 1000,
  ListAliases: 500,
  ListKeys: 500,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListRetirableGrants: 100,
  CreateGrant: 50,
  RetireGrant: 30,
  RevokeGrant: 30,
  DeleteAlias: 15,
  EnableKeyRotation: 15,
  PutKeyPolicy: 15,
  ScheduleKeyDeletion: 15,
  TagResource: 10,
  GetParametersForImport: 0.25,
  "GenerateDataKeyPair:ECC_NIST_P256": 25,
  "GenerateDataKeyPair:ECC_NIST_P384": 10,
  "GenerateDataKeyPair:ECC_NIST_P521": 5,
  "GenerateDataKeyPair:ECC_SECG_P256K1": 25,
  "GenerateDataKeyPair:ECC_NIST_EDWARDS25519": 25,
  "GenerateDataKeyPair:RSA_2048": 1,
  "GenerateDataKeyPair:RSA_3072": 0.5,
  "GenerateDataKeyPair:RSA_4096": 0.1,
};
/** AWS: every operation that is not named above. */
const otherRate = 5;

/** Buckets that are full again say nothing: they go once there are many. */
const bucketsMax = 10_000;

const cryptographic = new Set([
  "Decrypt",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "VerifyMac",
  "GenerateRandom",
  "ReEncrypt",
  "Sign",
  "Verify",
  "DeriveSharedSecret",
]);

/** AWS's request quotas, with other rates in place of some of them. */
export function createRequestQuotas(changed: QuotaRates = {}): RequestQuotas {
  const buckets = new Map<string, Bucket>();
  const rateOf = (group: string, region: string): number =>
    changed[group] ??
    (group === "symmetric" ? symmetricRates[region] : undefined) ??
    awsRates[group] ??
    otherRate;
  return {
    take(account, region, group, count, nowMs) {
      const rate = rateOf(group, region);
      // One request fits into an empty second even where the rate is below one.
      const capacity = Math.max(1, rate);
      const name = `${account}|${region}|${group}`;
      const bucket = buckets.get(name) ?? { tokens: capacity, atMs: nowMs };
      const passedMs = Math.max(0, nowMs - bucket.atMs);
      bucket.tokens = Math.min(capacity, bucket.tokens + (passedMs / 1000) * rate);
      bucket.atMs = nowMs;
      if (buckets.size >= bucketsMax && !buckets.has(name)) buckets.clear();
      buckets.set(name, bucket);
      if (bucket.tokens < Math.min(count, capacity)) return false;
      bucket.tokens -= count;
      return true;
    },
  };
}

/** The operation, counted against its quota once its key is known. */
export function withQuota(operation: AnyOperation, quotas: RequestQuotas): AnyOperation {
  return {
    ...operation,
    async resources(input: object, call: Call) {
      const uses = await operation.resources(input, call);
      for (const [group, count] of groupsOf(operation.name, input, uses)) {
        // AWS: calls across accounts, and those of a service for you, count for the caller.
        if (await quotas.take(call.accountId, call.region, group, count, call.now)) continue;
        throw refuse(
          "ThrottlingException",
          "You have exceeded the rate at which you may call KMS. Reduce the frequency of your " +
            "calls.",
        );
      }
      return uses;
    },
  };
}

function groupsOf(
  name: string,
  input: object,
  uses: readonly ResourceUse[],
): ReadonlyMap<string, number> {
  const groups = new Map<string, number>();
  const add = (group: string) => groups.set(group, (groups.get(group) ?? 0) + 1);
  if (name.startsWith("GenerateDataKeyPair")) {
    add(`GenerateDataKeyPair:${"KeyPairSpec" in input ? String(input.KeyPairSpec) : ""}`);
  } else if (cryptographic.has(name)) {
    // AWS?: ReEncrypt counts once for each key that it touches.
    for (const use of uses) add(familyOf(String(use.context?.["kms:keyspec"] ?? "")));
  } else add(name);
  return groups;
}

function familyOf(keySpec: string): string {
  if (keySpec.startsWith("RSA_")) return "rsa";
  if (keySpec.startsWith("ECC_")) return "ecc";
  return keySpec.startsWith("ML_DSA_") ? "mldsa" : "symmetric";
}
