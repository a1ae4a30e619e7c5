import { Refusal } from "../../kernel/errors.ts";
import type { Random } from "../../kernel/random.ts";

/** What KMS refuses, and the shape by which SQS tells it. */
const shapes: Readonly<Record<string, string>> = {
  AccessDeniedException: "KmsAccessDenied",
  DisabledException: "KmsDisabled",
  KMSInvalidStateException: "KmsInvalidState",
  NotFoundException: "KmsNotFound",
  // AWS?: a key id that KMS cannot read at all; told as a key that is not there.
  InvalidArnException: "KmsNotFound",
  ValidationException: "KmsNotFound",
  InvalidKeyUsageException: "KmsInvalidKeyUsage",
  ThrottlingException: "KmsThrottled",
  OptInRequired: "KmsOptInRequired",
  SubscriptionRequiredException: "KmsOptInRequired",
};

/** SQS's refusal for one of KMS; undefined: the error is not KMS saying no. */
export function kmsRefusal(error: unknown, random: Random): Refusal | undefined {
  if (!(error instanceof Refusal) || !Object.hasOwn(shapes, error.code)) return undefined;
  const shape = shapes[error.code];
  if (shape === undefined) return undefined;
  const facts = [
    "Service: AWSKMS",
    "Status Code: 400",
    `Error Code: ${error.code}`,
    `Request ID: ${random.uuid()}`,
    "Proxy: null",
  ];
  return new Refusal(shape, `${error.message} (${facts.join("; ")})`);
}
