import { hash } from "node:crypto";
import type { AttachedPolicy } from "../../kernel/policy.ts";

/** A policy that comes with every account and that nobody changes. */
export interface AwsManagedPolicy {
  readonly policyName: string;
  readonly policyId: string;
  readonly path: string;
  readonly description: string;
  readonly policy: AttachedPolicy;
}

type Statement = Readonly<Record<string, unknown>>;

const everything = { Effect: "Allow", Action: "*", Resource: "*" };

function allow(...actions: readonly string[]): Statement {
  return { Effect: "Allow", Action: actions, Resource: "*" };
}

const snsRead = ["sns:GetTopicAttributes", "sns:List*", "sns:CheckIfPhoneNumberIsOptedOut"];
const sqsRead = [
  "sqs:GetQueueAttributes",
  "sqs:GetQueueUrl",
  "sqs:ListDeadLetterSourceQueues",
  "sqs:ListMessageMoveTasks",
  "sqs:ListQueues",
  "sqs:ListQueueTags",
];
const iamRead = [
  "iam:GenerateCredentialReport",
  "iam:GenerateServiceLastAccessedDetails",
  "iam:Get*",
  "iam:List*",
  "iam:SimulateCustomPolicy",
  "iam:SimulatePrincipalPolicy",
];
const trailRead = [
  "cloudtrail:Describe*",
  "cloudtrail:Get*",
  "cloudtrail:List*",
  "cloudtrail:LookupEvents",
];
const kmsRead = ["kms:DescribeKey", "kms:Get*", "kms:List*"];

/**
 * A small set under AWS's names. DIFFERS: the documents name the services that this server has;
 * AWS's own go on to hundreds of others. AWS?: the unique ids are of this server.
 */
const documents: readonly (readonly [
  name: string,
  description: string,
  statements: readonly Statement[],
])[] = [
  ["AdministratorAccess", "Provides full access to AWS services and resources.", [everything]],
  [
    "PowerUserAccess",
    "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
    [
      { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
      allow(
        "iam:CreateServiceLinkedRole",
        "iam:DeleteServiceLinkedRole",
        "iam:ListRoles",
        "organizations:DescribeOrganization",
        "account:ListRegions",
      ),
    ],
  ],
  [
    "ReadOnlyAccess",
    "Provides read-only access to AWS services and resources.",
    [
      allow(
        ...snsRead,
        "sns:Get*",
        ...sqsRead,
        "sqs:Get*",
        "sqs:List*",
        ...kmsRead,
        "kms:Describe*",
        ...iamRead,
        "sts:GetAccessKeyInfo",
        "sts:GetCallerIdentity",
        "sts:GetSessionToken",
        ...trailRead,
      ),
    ],
  ],
  [
    "AmazonSNSFullAccess",
    "Provides full access to Amazon SNS via the AWS Management Console.",
    [allow("sns:*")],
  ],
  [
    "AmazonSNSReadOnlyAccess",
    "Provides read only access to Amazon SNS via the AWS Management Console.",
    [allow(...snsRead)],
  ],
  [
    "AmazonSQSFullAccess",
    "Provides full access to Amazon SQS via the AWS Management Console.",
    [allow("sqs:*")],
  ],
  [
    "AmazonSQSReadOnlyAccess",
    "Provides read only access to Amazon SQS via the AWS Management Console.",
    [allow(...sqsRead)],
  ],
  [
    "AWSKeyManagementServicePowerUser",
    "Provides access to AWS Key Management Service (KMS).",
    [
      allow(
        "kms:CreateAlias",
        "kms:CreateKey",
        "kms:DeleteAlias",
        "kms:Describe*",
        "kms:GenerateRandom",
        "kms:Get*",
        "kms:List*",
        "kms:TagResource",
        "kms:UntagResource",
        "iam:ListGroups",
        "iam:ListRoles",
        "iam:ListUsers",
      ),
    ],
  ],
  [
    "IAMFullAccess",
    "Provides full access to IAM via the AWS Management Console.",
    [allow("iam:*", "organizations:DescribeOrganization")],
  ],
  [
    "IAMReadOnlyAccess",
    "Provides read only access to IAM via the AWS Management Console.",
    [allow(...iamRead)],
  ],
  ["AWSCloudTrail_FullAccess", "Provides full access to AWS CloudTrail.", [allow("cloudtrail:*")]],
  [
    "AWSCloudTrail_ReadOnlyAccess",
    "This policy grants read only access to AWS CloudTrail.",
    [allow(...trailRead)],
  ],
  [
    "AWSDenyAll",
    "Deny all access.",
    [{ Sid: "DenyAll", Effect: "Deny", Action: "*", Resource: "*" }],
  ],
];

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const arnPrefix = "arn:aws:iam::aws:policy/";

export const awsManagedPolicies: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  documents.map(([policyName, description, Statement]) => [
    arnPrefix + policyName,
    {
      policyName,
      policyId: idOf(policyName),
      path: "/",
      description,
      policy: Object.freeze({
        text: JSON.stringify({ Version: "2012-10-17", Statement }, null, 4),
        principalIds: Object.freeze({}),
      }),
    },
  ]),
);

function idOf(policyName: string): string {
  const bytes = hash("sha256", `aws managed policy ${policyName}`, "buffer").subarray(0, 17);
  return `ANPA${Array.from(bytes, (byte) => alphabet.charAt(byte & 31)).join("")}`;
}
