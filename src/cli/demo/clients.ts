import { Agent } from "node:https";

export interface DemoTarget {
  readonly endpoint: string;
  /** PEM of the server's own certificate authority: the only one trusted. */
  readonly ca: string;
  readonly region: string;
}

export interface DemoCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The real AWS SDK clients for one person; loaded when the demo runs, not with the command. */
export async function createClients(target: DemoTarget, credentials: DemoCredentials) {
  const [sns, sqs, kms, iam, cloudtrail] = await Promise.all([
    import("@aws-sdk/client-sns"),
    import("@aws-sdk/client-sqs"),
    import("@aws-sdk/client-kms"),
    import("@aws-sdk/client-iam"),
    import("@aws-sdk/client-cloudtrail"),
  ]);
  const settings = {
    endpoint: target.endpoint,
    region: target.region,
    credentials,
    maxAttempts: 1,
    requestHandler: { httpsAgent: new Agent({ ca: target.ca, keepAlive: true }) },
  };
  return {
    sns: new sns.SNS(settings),
    sqs: new sqs.SQS(settings),
    kms: new kms.KMS(settings),
    iam: new iam.IAM(settings),
    cloudtrail: new cloudtrail.CloudTrail(settings),
  };
}

export type DemoClients = Awaited<ReturnType<typeof createClients>>;

/** Name and text of what a call was refused with; undefined if it was not refused. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<{ name: string; message: string } | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof Error) return { name: error.name, message: error.message };
    throw error;
  }
}
