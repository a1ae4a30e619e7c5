import { createRequire } from "node:module";

/** What no schema says about a service, and what is decided by hand. */
export interface ServiceSource {
  readonly name: string;
  readonly version: string;
  readonly packageName: string;
  readonly json?: { readonly version: string; readonly targets: readonly string[] };
  readonly query?: { readonly namespace: string };
  /** KMS and CloudTrail answer 400 to every client error whatever the model's status is. */
  readonly clientErrorStatus?: number;
  /** Wire names that differ from the SDK's schema, by `Structure.Member`. */
  readonly xmlNames?: Readonly<Record<string, string>>;
  /** Query error codes that differ from the SDK's schema, by shape. */
  readonly errorCodes?: Readonly<Record<string, string>>;
  /** Simple shapes that the service checks itself, with errors and texts of its own. */
  readonly ownChecks?: readonly string[];
}

export const serviceSources: readonly ServiceSource[] = [
  {
    name: "sns",
    version: "2010-03-31",
    packageName: "@aws-sdk/client-sns",
    query: { namespace: "http://sns.amazonaws.com/doc/2010-03-31/" },
    // AWS: the model says ValidationException, the service sends ValidationError.
    errorCodes: { ValidationException: "ValidationError" },
  },
  {
    name: "sqs",
    version: "2012-11-05",
    packageName: "@aws-sdk/client-sqs",
    json: { version: "1.0", targets: ["AmazonSQS"] },
    query: { namespace: "http://queue.amazonaws.com/doc/2012-11-05/" },
    // Two members share the wire name `AttributeName` in AWS's own model; the newer one gets the
    // name that clients of the query protocol send for it.
    xmlNames: { "ReceiveMessageRequest.MessageSystemAttributeNames": "MessageSystemAttributeName" },
  },
  {
    name: "kms",
    version: "2014-11-01",
    packageName: "@aws-sdk/client-kms",
    json: { version: "1.1", targets: ["TrentService"] },
    clientErrorStatus: 400,
  },
  {
    name: "iam",
    version: "2010-05-08",
    packageName: "@aws-sdk/client-iam",
    query: { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
  },
  {
    name: "sts",
    version: "2011-06-15",
    packageName: "@aws-sdk/client-sts",
    query: { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
  },
  {
    name: "cloudtrail",
    version: "2013-11-01",
    packageName: "@aws-sdk/client-cloudtrail",
    json: {
      version: "1.1",
      targets: [
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        // AWS?: the short form is accepted as well.
        "CloudTrail_20131101",
      ],
    },
    clientErrorStatus: 400,
    // AWS: InvalidMaxResultsException, InvalidLookupAttributesException,
    // InvalidEventCategoryException.
    ownChecks: ["MaxResults", "LookupAttributeKey", "EventCategory"],
  },
];

/** Everything that the SDK package exports; schemas are the exports that end in `$`. */
export function loadPackage(source: ServiceSource): Readonly<Record<string, unknown>> {
  const exports: unknown = createRequire(import.meta.url)(source.packageName);
  if (typeof exports !== "object" || exports === null) {
    throw new Error(`${source.packageName} exports nothing`);
  }
  return exports as Readonly<Record<string, unknown>>;
}
