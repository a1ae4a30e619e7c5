import type { Json } from "../../kernel/json.ts";
import type { JsonObject } from "../../kernel/records.ts";

/**
 * DeliveryPolicy of a topic: how http(s) endpoints are retried. It is checked, kept and merged into
 * EffectiveDeliveryPolicy; delivery over http(s) itself comes with that protocol.
 */
const systemDefault = {
  http: {
    defaultHealthyRetryPolicy: {
      minDelayTarget: 20,
      maxDelayTarget: 20,
      numRetries: 3,
      numMaxDelayRetries: 0,
      numNoDelayRetries: 0,
      numMinDelayRetries: 0,
      backoffFunction: "linear",
    },
    disableSubscriptionOverrides: false,
    defaultRequestPolicy: { headerContentType: "text/plain; charset=UTF-8" },
  },
} as const;

/** AWS: the system default merged with the topic's policy, as recorded from GetTopicAttributes. */
export function effectiveDeliveryPolicy(text: string | undefined): string {
  const own = text === undefined ? undefined : JSON.parse(text).http;
  if (own === undefined) return JSON.stringify(systemDefault);
  const { http } = systemDefault;
  return JSON.stringify({
    http: {
      ...http,
      ...own,
      defaultHealthyRetryPolicy: {
        ...http.defaultHealthyRetryPolicy,
        ...own.defaultHealthyRetryPolicy,
      },
      defaultRequestPolicy: { ...http.defaultRequestPolicy, ...own.defaultRequestPolicy },
    },
  });
}

type Check = (value: Json) => boolean;

const whole =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;

const retryMembers: Readonly<Record<string, Check>> = {
  minDelayTarget: whole(1, 3600),
  maxDelayTarget: whole(1, 3600),
  numRetries: whole(0, 100),
  numNoDelayRetries: whole(0, 100),
  numMinDelayRetries: whole(0, 100),
  numMaxDelayRetries: whole(0, 100),
  backoffFunction: (value) =>
    typeof value === "string" &&
    ["linear", "arithmetic", "geometric", "exponential"].includes(value),
};

const httpMembers: Readonly<Record<string, Check>> = {
  defaultHealthyRetryPolicy: (value) => isObject(value) && retryProblem(value) === undefined,
  // AWS: deprecated echoes that policies read from GetTopicAttributes still carry.
  sicklyRetryPolicy: (value) => value === null || isObject(value),
  guaranteed: (value) => value === false,
  disableSubscriptionOverrides: (value) => typeof value === "boolean",
  defaultThrottlePolicy: (value) =>
    isObject(value) &&
    membersProblem(value, {
      maxReceivesPerSecond: whole(1, Number.MAX_SAFE_INTEGER),
    }) === undefined,
  defaultRequestPolicy: (value) =>
    isObject(value) &&
    membersProblem(value, { headerContentType: (type) => typeof type === "string" }) === undefined,
};

/** What is wrong with a DeliveryPolicy; undefined if nothing is. AWS?: the texts. */
export function deliveryPolicyProblem(text: string): string | undefined {
  let policy: Json;
  try {
    policy = JSON.parse(text);
  } catch (error) {
    return `failed to parse JSON. ${(error as Error).message}`;
  }
  if (!isObject(policy)) return "must be a JSON object";
  const outer = membersProblem(policy, { http: isObject });
  if (outer !== undefined) return outer;
  const { http } = policy;
  if (!isObject(http)) return undefined;
  const retry = http.defaultHealthyRetryPolicy;
  return (isObject(retry) ? retryProblem(retry) : undefined) ?? membersProblem(http, httpMembers);
}

function membersProblem(
  value: JsonObject,
  checks: Readonly<Record<string, Check>>,
): string | undefined {
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(checks, name)) return `Unrecognized member ${name}`;
    if (!checks[name]?.(member)) return `Invalid value for ${name}`;
  }
  return undefined;
}

function retryProblem(retry: JsonObject): string | undefined {
  const members = membersProblem(retry, retryMembers);
  if (members !== undefined) return members;
  const given = { ...systemDefault.http.defaultHealthyRetryPolicy, ...retry };
  if (given.minDelayTarget > given.maxDelayTarget) {
    return "maxDelayTarget must be greater than or equal to minDelayTarget";
  }
  const phases = given.numNoDelayRetries + given.numMinDelayRetries + given.numMaxDelayRetries;
  if (phases > given.numRetries) {
    return "numRetries must be greater than or equal to the sum of the retries of its phases";
  }
  return undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
