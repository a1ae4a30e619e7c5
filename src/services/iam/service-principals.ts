import { operatorError } from "./accounts.ts";

/** AWS: event sources of SNS that publish with a role, not as a service principal. */
const roleBased: ReadonlyMap<string, string> = new Map([
  ["autoscaling.amazonaws.com", "Amazon EC2 Auto Scaling"],
  ["elastictranscoder.amazonaws.com", "Amazon Elastic Transcoder"],
  ["codepipeline.amazonaws.com", "AWS CodePipeline"],
  ["config.amazonaws.com", "AWS Config"],
  ["elasticbeanstalk.amazonaws.com", "AWS Elastic Beanstalk"],
  ["iot.amazonaws.com", "AWS IoT"],
]);

/** The server is these itself: a credential would let somebody outside speak for it. */
const ownServices: ReadonlySet<string> = new Set([
  "sns.amazonaws.com",
  "sqs.amazonaws.com",
  "kms.amazonaws.com",
  "iam.amazonaws.com",
  "sts.amazonaws.com",
  "cloudtrail.amazonaws.com",
  "sealpost.amazonaws.com",
]);

/** A service that may get a credential. Throws InvalidRequest with the reason. */
export function requireOutsideService(service: string): `${string}.amazonaws.com` {
  if (!isServicePrincipal(service)) {
    throw operatorError(
      "InvalidRequest",
      `${service} is not a service principal; one looks like s3.amazonaws.com`,
    );
  }
  if (ownServices.has(withoutRegion(service))) {
    throw operatorError("InvalidRequest", `only the server itself is ${service}`);
  }
  const name = roleBased.get(service);
  if (name === undefined) return service;
  throw operatorError(
    "InvalidRequest",
    `${name} publishes with an IAM role, not as ${service}: create a role that may sns:Publish ` +
      "and use the key (kms:GenerateDataKey*, kms:Decrypt), name it in the key policy, and let " +
      "the source assume it",
  );
}

function isServicePrincipal(text: string): text is `${string}.amazonaws.com` {
  return /^[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9-]{1,63})?\.amazonaws\.com$/.test(text);
}

/** `sns.eu-west-1.amazonaws.com` is SNS as well. */
function withoutRegion(service: string): string {
  const [name = ""] = service.split(".", 1);
  return `${name}.amazonaws.com`;
}
