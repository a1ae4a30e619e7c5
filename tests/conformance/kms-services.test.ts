import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import {
  type Answer,
  accountA,
  accountB,
  type Bed,
  createBed,
  refused,
  region,
} from "./kms-bed.ts";

// Goal: keys that services use for others: AWS managed keys come to be at first use and serve
// their own account through their service only; a service principal is bound to its resource.
// Method: a probe service calls KMS as SQS and SNS do, by forward access session and for itself.

const rootStatement = allow({ AWS: `arn:aws:iam::${accountA}:root` }, "kms:*");

test("AWS managed keys are made at first use, through their service or DescribeKey", async () => {
  const bed = await createBed();
  const size = { KeyId: "alias/aws/sqs", KeySpec: "AES_256" };
  const missing = `Alias arn:aws:kms:${region}:${accountA}:alias/aws/sqs is not found.`;
  await refused(bed.kms("GenerateDataKey", size), "NotFoundException", missing);
  const user = await bed.user("alice");
  const via = { kind: "caller", via: "sqs.amazonaws.com" } as const;
  const made = await bed.through(via, "GenerateDataKey", size, user);
  const again = await bed.through(via, "GenerateDataKey", size, user);
  equal(made.KeyId, again.KeyId);
  const described = (await bed.kms("DescribeKey", { KeyId: "alias/aws/sqs" }))
    .KeyMetadata as Answer;
  equal(described.Arn, made.KeyId);
  equal(described.KeyManager, "AWS");
  const text = "Default key that protects my SQS data when no other key is defined";
  equal(described.Description, text);
  const KeyId = described.KeyId;
  const status = await bed.kms("GetKeyRotationStatus", { KeyId });
  equal(status.KeyRotationEnabled, true);
  const denied = "AccessDeniedException";
  await refused(bed.kms("GenerateDataKey", size), denied, /kms:GenerateDataKey/);
  for (const operation of ["DisableKey", "ScheduleKeyDeletion", "DisableKeyRotation"]) {
    await refused(bed.kms(operation, { KeyId }), denied, new RegExp(`kms:${operation}`));
  }
  const alias = bed.kms("CreateAlias", { AliasName: "alias/mine", TargetKeyId: KeyId });
  await refused(alias, denied, /kms:CreateAlias/);
  const stranger = bed.through(
    via,
    "GenerateDataKey",
    { ...size, KeyId: made.KeyId },
    bed.root(accountB),
  );
  await refused(stranger, denied, /kms:GenerateDataKey/);
  const policy = JSON.parse(String((await bed.kms("GetKeyPolicy", { KeyId })).Policy));
  deepEqual(
    [policy.Id, policy.Statement[0].Condition.StringEquals],
    [
      "auto-sqs-1",
      {
        "kms:CallerAccount": accountA,
        "kms:ViaService": `sqs.${region}.amazonaws.com`,
      },
    ],
  );
  await bed.kms("DescribeKey", { KeyId: "alias/aws/sns" });
  const listed = (await bed.kms("ListAliases", {})).Aliases as Answer[];
  deepEqual(
    listed.map((entry) => [entry.AliasName, typeof entry.TargetKeyId]),
    [
      ["alias/aws/sns", "string"],
      ["alias/aws/sqs", "string"],
    ],
  );
});

test("a service acting for a resource needs the key policy, bound to that resource", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  const topic = `arn:aws:sns:${region}:${accountA}:Patient-Records`;
  const as = (sourceArn: string) =>
    ({
      kind: "service",
      service: "sns.amazonaws.com",
      sourceArn,
      sourceAccountId: accountA,
    }) as const;
  const size = { KeyId: keyId, KeySpec: "AES_256" };
  const denied = bed.through(as(topic), "GenerateDataKey", size);
  await refused(denied, "AccessDeniedException", /^User: sns.amazonaws.com is not authorized/);
  const service = {
    ...allow({ Service: "sns.amazonaws.com" }, ["kms:GenerateDataKey*", "kms:Decrypt"]),
    Condition: { ArnEquals: { "aws:SourceArn": topic } },
  };
  await putPolicy(bed, keyId, [rootStatement, service]);
  await bed.through(as(topic), "GenerateDataKey", size);
  const deputy = bed.through(as(`${topic}-2`), "GenerateDataKey", size);
  await refused(deputy, "AccessDeniedException", /kms:GenerateDataKey/);
});

function allow(Principal: object, Action: string | string[]) {
  return { Effect: "Allow", Principal, Action, Resource: "*" };
}

function policyText(statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function putPolicy(bed: Bed, KeyId: string, statements: readonly object[], bypass = false) {
  const Policy = policyText(statements);
  const input = { KeyId, Policy, BypassPolicyLockoutSafetyCheck: bypass };
  return bed.kms("PutKeyPolicy", input);
}

async function newKey(bed: Bed): Promise<string> {
  return String(((await bed.kms("CreateKey", {})).KeyMetadata as Answer).KeyId);
}
