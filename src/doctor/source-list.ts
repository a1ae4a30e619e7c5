import type { ServicePrincipal } from "../kernel/caller.ts";

/** An AWS service that publishes events to topics. */
export interface EventSource {
  readonly name: string;
  readonly service: ServicePrincipal;
  /** `service`: it calls for itself; `role`: with an IAM role of the account. */
  readonly needs: "service" | "role";
  /** AWS: what it sends on its use of the topic's key to tell for whom it acts. */
  readonly keySource: "source-account" | "nothing";
}

function service(name: string, prefix: string, keySource?: "nothing"): EventSource {
  const principal: ServicePrincipal = `${prefix}.amazonaws.com`;
  return { name, service: principal, needs: "service", keySource: keySource ?? "source-account" };
}

function role(name: string, prefix: string): EventSource {
  const principal: ServicePrincipal = `${prefix}.amazonaws.com`;
  return { name, service: principal, needs: "role", keySource: "nothing" };
}

/** AWS: the event sources of encrypted topics, as the documents of SNS list them. */
export const eventSources: readonly EventSource[] = [
  service("CloudWatch alarms", "cloudwatch"),
  service("CloudWatch Events (EventBridge)", "events", "nothing"),
  service("DynamoDB", "dynamodb"),
  service("S3", "s3"),
  service("S3 Glacier", "glacier"),
  service("Redshift", "redshift"),
  service("Simple Email Service", "ses"),
  service("CodeCommit", "codecommit"),
  service("Database Migration Service", "dms"),
  service("Directory Service", "ds"),
  service("Snowball", "importexport"),
  role("EC2 Auto Scaling", "autoscaling"),
  role("Elastic Transcoder", "elastictranscoder"),
  role("CodePipeline", "codepipeline"),
  role("Config", "config"),
  role("Elastic Beanstalk", "elasticbeanstalk"),
  role("IoT", "iot"),
];
