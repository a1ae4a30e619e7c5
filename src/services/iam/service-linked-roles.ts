import { invalidInput } from "./refusals.ts";

interface LinkedService {
  /** `AutoScaling` in `AWSServiceRoleForAutoScaling`. */
  readonly suffix: string;
  readonly customSuffix?: boolean;
}

/** AWS: services that have a service-linked role, as far as they meet topics, queues and keys. */
const linkedServices: ReadonlyMap<string, LinkedService> = new Map([
  ["autoscaling.amazonaws.com", { suffix: "AutoScaling", customSuffix: true }],
  ["cks.kms.amazonaws.com", { suffix: "KeyManagementServiceCustomKeyStores" }],
  ["mrk.kms.amazonaws.com", { suffix: "KeyManagementServiceMultiRegionKeys" }],
  ["cloudtrail.amazonaws.com", { suffix: "CloudTrail" }],
  ["config.amazonaws.com", { suffix: "Config" }],
  ["elasticbeanstalk.amazonaws.com", { suffix: "ElasticBeanstalk" }],
  ["events.amazonaws.com", { suffix: "CloudWatchEvents" }],
  ["lex.amazonaws.com", { suffix: "LexBots" }],
  ["redshift.amazonaws.com", { suffix: "Redshift" }],
  ["replication.dynamodb.amazonaws.com", { suffix: "DynamoDBReplication" }],
  ["sms.amazonaws.com", { suffix: "SMS" }],
  ["ssm.amazonaws.com", { suffix: "AmazonSSM" }],
]);

/** Name of the role that a service gets. Throws InvalidInput. */
export function linkedRoleName(service: string, customSuffix: string | undefined): string {
  const known = linkedServices.get(service);
  // AWS?: the text.
  if (known === undefined) {
    throw invalidInput(`Service Linked Roles are not supported for ${service}.`);
  }
  if (customSuffix === undefined) return `AWSServiceRoleFor${known.suffix}`;
  if (known.customSuffix) return `AWSServiceRoleFor${known.suffix}_${customSuffix}`;
  throw invalidInput(`Custom suffix is not allowed for ${service}`);
}

export function linkedRolePath(service: string): string {
  return `/aws-service-role/${service}/`;
}
