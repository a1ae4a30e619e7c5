/** The policies of the clinic scenario, as the article it comes from prints them. */

export function publisherPolicy(topicArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: ["sns:Publish"], Resource: topicArn },
  });
}

/** Administrator: makes the key, the topic, the queues. Using the key is not among it. */
export const administratorPolicy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["kms:CreateKey", "kms:CreateAlias", "kms:ListAliases", "sns:*", "sqs:*"],
      Resource: "*",
    },
  ],
});

export function consumerPolicy(queueArn: string, keyArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"], Resource: queueArn },
      { Effect: "Allow", Action: "kms:Decrypt", Resource: keyArn },
    ],
  });
}

/** What the SDK's `subscribeQueue` helper writes: everyone, if the message comes from the topic. */
export function queuePolicy(queueArn: string, topicArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "topic-subscription",
        Effect: "Allow",
        Principal: { AWS: ["*"] },
        Action: ["sqs:SendMessage"],
        Resource: [queueArn],
        Condition: { ArnLike: { "aws:SourceArn": [topicArn] } },
      },
    ],
  });
}

export interface KeyPolicyParts {
  readonly accountId: string;
  /** Actions of the EMR user; the article gives GenerateDataKey* and Decrypt. */
  readonly userActions: readonly string[];
  readonly admitsSns: boolean;
}

export function keyPolicy({ accountId, userActions, admitsSns }: KeyPolicyParts): string {
  const user = (name: string) => ({ AWS: `arn:aws:iam::${accountId}:user/${name}` });
  const administer = ["Create", "Describe", "Enable", "List", "Put", "Update", "Revoke", "Disable"];
  const use = ["kms:GenerateDataKey*", "kms:Decrypt"];
  const statements = [
    {
      Sid: "Allow access for Root User",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: "kms:*",
      Resource: "*",
    },
    {
      Sid: "Allow access for Key Administrator",
      Effect: "Allow",
      Principal: user("EMRAdmin"),
      Action: [
        ...[...administer, "Get", "Delete"].map((verb) => `kms:${verb}*`),
        "kms:TagResource",
        "kms:UntagResource",
        "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion",
      ],
      Resource: "*",
    },
    {
      Sid: "Allow access for Key User (SNS IAM User)",
      Effect: "Allow",
      Principal: user("EMRUser"),
      Action: userActions,
      Resource: "*",
    },
    {
      Sid: "Allow access for Key User (SNS Service Principal)",
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: use,
      Resource: "*",
    },
  ];
  return JSON.stringify({
    Version: "2012-10-17",
    Id: "EMR-System-KeyPolicy",
    Statement: admitsSns ? statements : statements.slice(0, -1),
  });
}
