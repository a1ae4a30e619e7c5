import type { CreateTrailRequest } from "@aws-sdk/client-cloudtrail";
import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { InvokeIdentity } from "../../kernel/invoke.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { checkBucket, checkPrefix, trailArn } from "./names.ts";
import type { CloudtrailDependencies } from "./ports.ts";
import type { TrailRecord } from "./records.ts";
import { notOffered, refuse } from "./refusals.ts";
import type { TrailIdentity } from "./store.ts";

/** What CreateTrail and UpdateTrail can say. */
export type Configuration = Partial<Omit<Wire<CreateTrailRequest>, "Name" | "TagsList">>;

export const auditedConfiguration = [
  "Name",
  "S3BucketName",
  "S3KeyPrefix",
  "SnsTopicName",
  "IncludeGlobalServiceEvents",
  "IsMultiRegionTrail",
  "EnableLogFileValidation",
  "CloudWatchLogsLogGroupArn",
  "CloudWatchLogsRoleArn",
  "KmsKeyId",
  "IsOrganizationTrail",
] as const;

export const auditedTrail = [
  "Name",
  "S3BucketName",
  "S3KeyPrefix",
  "SnsTopicName",
  "SnsTopicARN",
  "IncludeGlobalServiceEvents",
  "IsMultiRegionTrail",
  "TrailARN",
  "LogFileValidationEnabled",
  "KmsKeyId",
  "IsOrganizationTrail",
] as const;

/**
 * A trail's record after a request; members that are absent stay as they were, an empty text takes
 * prefix, topic or key away. Bucket, topic and key are tried out as CloudTrail will use them.
 */
export async function configured(
  deps: CloudtrailDependencies,
  call: Call,
  trail: TrailIdentity,
  before: TrailRecord,
  given: Configuration,
): Promise<TrailRecord> {
  refuseWhatIsNotOffered(given);
  const includeGlobal = given.IncludeGlobalServiceEvents ?? before.includeGlobal;
  const multiRegion = given.IsMultiRegionTrail ?? before.multiRegion;
  if (multiRegion && !includeGlobal) {
    throw refuse(
      "InvalidParameterCombinationException",
      "Multi-Region trail must include global service events.",
    );
  }
  const bucket = given.S3BucketName ?? before.bucket;
  if (given.S3BucketName !== undefined) await checkBucketIsThere(deps, trail, bucket);
  const prefix = readPrefix(given.S3KeyPrefix, before.prefix);
  const topic = await readTopic(deps, call, trail, given.SnsTopicName, before.topic);
  const kmsKeyArn = await readKey(deps, call, trail, given.KmsKeyId, before.kmsKeyArn);
  return {
    ...before,
    bucket,
    remote: given.S3BucketName === undefined ? before.remote : deps.buckets.remote,
    prefix,
    topic,
    includeGlobal,
    multiRegion,
    validation: given.EnableLogFileValidation ?? before.validation,
    kmsKeyArn,
  };
}

function refuseWhatIsNotOffered(given: Configuration): void {
  if (given.CloudWatchLogsLogGroupArn || given.CloudWatchLogsRoleArn) {
    throw notOffered("CloudWatchLogsDeliveryUnavailableException", "Delivery to CloudWatch Logs");
  }
  if (given.IsOrganizationTrail) {
    throw refuse(
      "OrganizationsNotInUseException",
      "The request could not be processed because your account is not a member of an organization.",
    );
  }
}

async function checkBucketIsThere(
  { buckets }: CloudtrailDependencies,
  { region }: TrailIdentity,
  bucket: string,
): Promise<void> {
  checkBucket(bucket);
  // DIFFERS: without an S3 endpoint a bucket is a name, and files lie in the data folder.
  if (!buckets.remote) return;
  const found = await buckets.find(bucket, region);
  if (found === "there") return;
  throw found === "absent"
    ? refuse("S3BucketDoesNotExistException", `S3 bucket ${bucket} does not exist!`)
    : refuse(
        "InsufficientS3BucketPolicyException",
        `Incorrect S3 bucket policy is detected for bucket: ${bucket}`,
      );
}

function readPrefix(given: string | undefined, before: string | undefined): string | undefined {
  if (given === undefined) return before;
  const prefix = given.replace(/\/$/, "");
  if (prefix === "") return undefined;
  checkPrefix(prefix);
  return prefix;
}

async function readTopic(
  deps: CloudtrailDependencies,
  call: Call,
  trail: TrailIdentity,
  given: string | undefined,
  before: TrailRecord["topic"],
): Promise<TrailRecord["topic"]> {
  if (given === undefined) return before;
  if (given === "") return undefined;
  const name = given.startsWith("arn:") ? (parseArn(given)?.resource ?? "") : given;
  if (!/^[A-Za-z0-9_-]{1,256}(\.fifo)?$/.test(name)) {
    throw refuse("InvalidSnsTopicNameException", `SNS topic name is invalid: ${given}`);
  }
  const { accountId, region } = trail;
  const arn = given.startsWith("arn:") ? given : formatArn("sns", region, accountId, name);
  const target = { service: "sns", operation: "Publish", as: cloudtrailFor(trail) };
  const topicRegion = parseArn(arn)?.region ?? region;
  const message = { TopicArn: arn, Message: "{}" };
  if (await deps.mayInvoke(call, { ...target, region: topicRegion }, message)) return { name, arn };
  throw refuse(
    "InsufficientSnsTopicPolicyException",
    "SNS Topic does not exist or the topic policy is incorrect!",
  );
}

/** CloudTrail itself, acting for a trail. */
export function cloudtrailFor(trail: TrailIdentity): InvokeIdentity {
  return {
    kind: "service",
    service: "cloudtrail.amazonaws.com",
    sourceArn: trailArn(trail),
    sourceAccountId: trail.accountId,
  };
}

/** AWS: the encryption context of a trail's files. */
export function encryptionContext(trail: TrailIdentity): Record<string, string> {
  return { "aws:cloudtrail:arn": trailArn(trail) };
}

/** A data key is asked for and thrown away: the key, its state and its policy are all tried. */
async function readKey(
  deps: CloudtrailDependencies,
  call: Call,
  trail: TrailIdentity,
  given: string | undefined,
  before: string | undefined,
): Promise<string | undefined> {
  if (given === undefined) return before;
  if (given === "") return undefined;
  const key = given.startsWith("arn:") ? parseArn(given) : undefined;
  if (given.startsWith("arn:") && key?.service !== "kms") throw invalidKeyId(given);
  const target = {
    service: "kms",
    operation: "GenerateDataKey",
    region: key?.region ?? trail.region,
    as: cloudtrailFor(trail),
  };
  const input = {
    KeyId: given,
    KeySpec: "AES_256",
    EncryptionContext: encryptionContext(trail),
  };
  try {
    const { output } = await deps.invoke<{ Plaintext: Buffer; KeyId: string }>(call, target, input);
    output.Plaintext.fill(0);
    return output.KeyId;
  } catch (error) {
    if (error instanceof Refusal) throw keyRefusal(error, given);
    throw error;
  }
}

/** AWS: what each error of KMS is called here. AWS?: the texts. */
function keyRefusal(error: Refusal, keyId: string): Refusal {
  if (error.denial !== undefined) {
    return refuse(
      "InsufficientEncryptionPolicyException",
      `Insufficient permissions to access S3 bucket or KMS key ${keyId}: ${error.message}`,
    );
  }
  switch (error.code) {
    case "NotFoundException":
      return refuse("KmsKeyNotFoundException", `KMS key ${keyId} is not found: ${error.message}`);
    case "DisabledException":
    case "KMSInvalidStateException":
      return refuse("KmsKeyDisabledException", `KMS key ${keyId} is disabled: ${error.message}`);
    case "ValidationException":
    case "InvalidArnException":
    case "InvalidKeyUsageException":
      return invalidKeyId(keyId);
    default:
      return refuse("KmsException", error.message);
  }
}

function invalidKeyId(keyId: string): Refusal {
  return refuse("InvalidKmsKeyIdException", `KMS key ID ${keyId} is invalid.`);
}
