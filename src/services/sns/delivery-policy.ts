import type { Json } from "../../kernel/json.ts";
import type { JsonObject } from "../../kernel/records.ts";

export type BackoffFunction = "linear" | "arithmetic" | "geometric" | "exponential";

const backoffFunctions: readonly string[] = ["linear", "arithmetic", "geometric", "exponential"];

/** How an http(s) endpoint is retried. Delays in seconds. */
export interface HealthyRetryPolicy {
  readonly minDelayTarget: number;
  readonly maxDelayTarget: number;
  readonly numRetries: number;
  readonly numMaxDelayRetries: number;
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly backoffFunction: BackoffFunction;
}

/** What holds for one http(s) subscription. */
export interface EffectiveDelivery {
  readonly retry: HealthyRetryPolicy;
  /** undefined: as fast as it goes. */
  readonly maxReceivesPerSecond: number | undefined;
  readonly headerContentType: string;
}

/** AWS: the system's default. */
const retryDefault: HealthyRetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: "linear",
};
const contentTypeDefault = "text/plain; charset=UTF-8";

interface TopicPolicy {
  readonly defaultHealthyRetryPolicy?: Partial<HealthyRetryPolicy>;
  readonly disableSubscriptionOverrides?: boolean;
  readonly defaultThrottlePolicy?: ThrottlePolicy;
  readonly defaultRequestPolicy?: RequestPolicy;
}

interface SubscriptionPolicy {
  readonly healthyRetryPolicy?: Partial<HealthyRetryPolicy> | null;
  readonly throttlePolicy?: ThrottlePolicy | null;
  readonly requestPolicy?: RequestPolicy | null;
}

interface ThrottlePolicy {
  readonly maxReceivesPerSecond?: number;
}

interface RequestPolicy {
  readonly headerContentType?: string;
}

/** AWS: the system default merged with the topic's policy, as recorded from GetTopicAttributes. */
export function effectiveDeliveryPolicy(text: string | undefined): string {
  const own = topicPolicy(text);
  return JSON.stringify({
    http: {
      defaultHealthyRetryPolicy: { ...retryDefault, ...own.defaultHealthyRetryPolicy },
      disableSubscriptionOverrides: own.disableSubscriptionOverrides ?? false,
      ...(own.defaultThrottlePolicy ? { defaultThrottlePolicy: own.defaultThrottlePolicy } : {}),
      defaultRequestPolicy: { headerContentType: contentTypeDefault, ...own.defaultRequestPolicy },
    },
  });
}

/** AWS: a subscription's policy goes before the topic's, unless the topic says otherwise. */
export function effectiveDelivery(
  topicText: string | undefined,
  subscriptionText: string | undefined,
): EffectiveDelivery {
  const topic = topicPolicy(topicText);
  const own: SubscriptionPolicy =
    subscriptionText === undefined || topic.disableSubscriptionOverrides
      ? {}
      : JSON.parse(subscriptionText);
  const throttle = own.throttlePolicy ?? topic.defaultThrottlePolicy;
  const request = own.requestPolicy ?? topic.defaultRequestPolicy;
  return {
    retry: { ...retryDefault, ...(own.healthyRetryPolicy ?? topic.defaultHealthyRetryPolicy) },
    maxReceivesPerSecond: throttle?.maxReceivesPerSecond,
    headerContentType: request?.headerContentType ?? contentTypeDefault,
  };
}

/** AWS: EffectiveDeliveryPolicy of an http(s) subscription, deprecated members included. */
export function effectiveSubscriptionPolicy(
  topicText: string | undefined,
  subscriptionText: string | undefined,
): string {
  const { retry, maxReceivesPerSecond, headerContentType } = effectiveDelivery(
    topicText,
    subscriptionText,
  );
  return JSON.stringify({
    healthyRetryPolicy: retry,
    sicklyRetryPolicy: null,
    throttlePolicy: maxReceivesPerSecond === undefined ? null : { maxReceivesPerSecond },
    requestPolicy: { headerContentType },
    guaranteed: false,
  });
}

function topicPolicy(text: string | undefined): TopicPolicy {
  return (text === undefined ? undefined : JSON.parse(text).http) ?? {};
}

type Check = (value: Json) => string | undefined;

const valid = (holds: (value: Json) => boolean, name: string): Check => {
  return (value) => (holds(value) ? undefined : `Invalid value for ${name}`);
};

const whole = (name: string, least: number, most: number): Check =>
  valid(
    (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= least && value <= most,
    name,
  );

const retryMembers: Readonly<Record<string, Check>> = {
  minDelayTarget: whole("minDelayTarget", 1, 3600),
  maxDelayTarget: whole("maxDelayTarget", 1, 3600),
  numRetries: whole("numRetries", 0, 100),
  numNoDelayRetries: whole("numNoDelayRetries", 0, 100),
  numMinDelayRetries: whole("numMinDelayRetries", 0, 100),
  numMaxDelayRetries: whole("numMaxDelayRetries", 0, 100),
  backoffFunction: valid(
    (value) => typeof value === "string" && backoffFunctions.includes(value),
    "backoffFunction",
  ),
};

/** AWS: a media type, perhaps with its charset. Goes into a header, so nothing else may pass. */
const mediaType =
  /^[A-Za-z0-9!#$&^_.+-]{1,64}\/[A-Za-z0-9!#$&^_.+-]{1,64}(; ?charset=[\w-]{1,32})?$/;

const retryPolicy: Check = (value) => (isObject(value) ? retryProblem(value) : notObject(value));
const throttlePolicy: Check = (value) =>
  objectProblem(value, {
    maxReceivesPerSecond: whole("maxReceivesPerSecond", 1, Number.MAX_SAFE_INTEGER),
  });
const requestPolicy: Check = (value) =>
  objectProblem(value, {
    headerContentType: valid(
      (type) => typeof type === "string" && mediaType.test(type),
      "headerContentType",
    ),
  });
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

// AWS: deprecated echoes that policies read back still carry.
const echoes: Readonly<Record<string, Check>> = {
  sicklyRetryPolicy: orNull(retryPolicy),
  guaranteed: valid((value) => value === false, "guaranteed"),
};

const topicMembers: Readonly<Record<string, Check>> = {
  defaultHealthyRetryPolicy: retryPolicy,
  disableSubscriptionOverrides: valid(
    (value) => typeof value === "boolean",
    "disableSubscriptionOverrides",
  ),
  defaultThrottlePolicy: orNull(throttlePolicy),
  defaultRequestPolicy: orNull(requestPolicy),
  ...echoes,
};

const subscriptionMembers: Readonly<Record<string, Check>> = {
  healthyRetryPolicy: orNull(retryPolicy),
  throttlePolicy: orNull(throttlePolicy),
  requestPolicy: orNull(requestPolicy),
  ...echoes,
};

/** What is wrong with a topic's DeliveryPolicy; undefined if nothing is. AWS?: the texts. */
export function deliveryPolicyProblem(text: string): string | undefined {
  return problemOf(text, { http: (value) => objectProblem(value, topicMembers) });
}

/** The same for a subscription's. */
export function subscriptionDeliveryPolicyProblem(text: string): string | undefined {
  return problemOf(text, subscriptionMembers);
}

function problemOf(text: string, members: Readonly<Record<string, Check>>): string | undefined {
  let policy: Json;
  try {
    policy = JSON.parse(text);
  } catch (error) {
    return `failed to parse JSON. ${(error as Error).message}`;
  }
  return objectProblem(policy, members);
}

function objectProblem(value: Json, checks: Readonly<Record<string, Check>>): string | undefined {
  if (!isObject(value)) return notObject(value);
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(checks, name)) return `Unrecognized member ${name}`;
    const problem = checks[name]?.(member);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function notObject(_value: Json): string {
  return "must be a JSON object";
}

function retryProblem(retry: JsonObject): string | undefined {
  const members = objectProblem(retry, retryMembers);
  if (members !== undefined) return members;
  const given = { ...retryDefault, ...retry };
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
