// Goal: the simulator says what a real request would hear, which statements decided and where they
// stand, and which context it was not given.
// Method: one server, the SDK; each simulated answer beside the real call's where there is one.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { allow, policy } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const iam = () => server.rootClients.iam;

test("a user's policies: allowed, explicitly denied, implicitly denied", async () => {
  const document = [
    "{",
    '  "Version": "2012-10-17",',
    '  "Statement": [',
    '    {"Effect":"Allow","Action":"sqs:*","Resource":"*"},',
    '    {"Effect":"Deny","Action":"sqs:CreateQueue","Resource":"*"}',
    "  ]",
    "}",
  ].join("\n");
  const user = await server.createUser("sim");
  await iam().putUserPolicy({ UserName: "sim", PolicyName: "p", PolicyDocument: document });
  const { EvaluationResults = [] } = await iam().simulatePrincipalPolicy({
    PolicySourceArn: user.arn,
    ActionNames: ["sqs:ListQueues", "sqs:CreateQueue", "sns:ListTopics"],
  });
  deepEqual(
    EvaluationResults.map((one) => [one.EvalActionName, one.EvalDecision]),
    [
      ["sqs:ListQueues", "allowed"],
      ["sqs:CreateQueue", "explicitDeny"],
      ["sns:ListTopics", "implicitDeny"],
    ],
  );
  deepEqual(EvaluationResults[1]?.MatchedStatements, [
    {
      SourcePolicyId: "user_sim_p",
      SourcePolicyType: "IAM Policy",
      StartPosition: { Line: 5, Column: 5 },
      EndPosition: { Line: 5, Column: 64 },
    },
  ]);
  await user.clients.sqs.listQueues({});
  equal((await refusal(user.clients.sqs.createQueue({ QueueName: "x" })))?.name, "AccessDenied");
  equal((await refusal(user.clients.sns.listTopics({})))?.name, "AuthorizationErrorException");
  const ghost = { PolicySourceArn: `${user.arn}x`, ActionNames: ["sqs:ListQueues"] };
  equal((await refusal(iam().simulatePrincipalPolicy(ghost)))?.name, "NoSuchEntityException");
});

test("missing context is named; given context counts", async () => {
  const PolicyInputList = [
    policy({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
      ...allow("sqs:SendMessage", "arn:aws:sqs:*:*:${aws:PrincipalTag/team}-*"),
      Condition: { StringEquals: { "aws:SourceVpce": "vpce-1" } },
    }),
  ];
  const ask = async (ContextEntries: object[]) => {
    const { EvaluationResults } = await iam().simulateCustomPolicy({
      PolicyInputList,
      ActionNames: ["sqs:SendMessage"],
      ResourceArns: ["arn:aws:sqs:us-east-1:123456789012:emr-orders"],
      ContextEntries: ContextEntries as never,
    });
    const [result] = EvaluationResults ?? [];
    return [result?.EvalDecision, result?.MissingContextValues];
  };
  const entry = (ContextKeyName: string, value: string) => ({
    ContextKeyName,
    ContextKeyValues: [value],
    ContextKeyType: "string",
  });
  deepEqual(await ask([]), ["implicitDeny", ["aws:SourceVpce", "aws:PrincipalTag/team"]]);
  const vpce = entry("aws:sourcevpce", "vpce-1");
  deepEqual(await ask([vpce]), ["implicitDeny", ["aws:PrincipalTag/team"]]);
  deepEqual(await ask([vpce, entry("aws:PrincipalTag/Team", "emr")]), ["allowed", []]);
  const keys = await iam().getContextKeysForCustomPolicy({ PolicyInputList });
  deepEqual(keys.ContextKeyNames, ["aws:SourceVpce", "aws:PrincipalTag/team"]);
});

test("boundaries and resource policies take part", async () => {
  const PolicyInputList = [policy(allow("sqs:*"))];
  const ActionNames = ["sqs:CreateQueue"];
  const bounded = await iam().simulateCustomPolicy({
    PolicyInputList,
    ActionNames,
    PermissionsBoundaryPolicyInputList: [policy(allow("sqs:ListQueues"))],
  });
  const [one] = bounded.EvaluationResults ?? [];
  equal(one?.EvalDecision, "implicitDeny");
  equal(one?.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary, false);
  const CallerArn = "arn:aws:iam::222222222222:user/eve";
  const queue = "arn:aws:sqs:us-east-1:123456789012:orders";
  const foreign = (Principal: object | undefined) =>
    iam().simulateCustomPolicy({
      PolicyInputList,
      ActionNames: ["sqs:SendMessage"],
      ResourceArns: [queue],
      CallerArn,
      ResourceOwner: "arn:aws:iam::123456789012:root",
      ...(Principal && {
        ResourcePolicy: policy({ ...allow("sqs:SendMessage", queue), Principal }),
      }),
    });
  equal((await foreign(undefined)).EvaluationResults?.[0]?.EvalDecision, "implicitDeny");
  const named = await foreign({ AWS: CallerArn });
  equal(named.EvaluationResults?.[0]?.EvalDecision, "allowed");
  const types = named.EvaluationResults?.[0]?.MatchedStatements?.map((s) => s.SourcePolicyType);
  deepEqual(types, ["IAM Policy", "Resource Policy"] as never);
});

test("bad input names the place", async () => {
  const bad = await refusal(
    iam().simulateCustomPolicy({
      PolicyInputList: ['{"Statement":[{"Effect":"Allow"}]}'],
      ActionNames: ["sqs:SendMessage"],
    }),
  );
  deepEqual([bad?.name, bad?.status], ["InvalidInputException", 400]);
  match(bad?.message ?? "", /Statement\[0\]/);
  const action = await refusal(
    iam().simulateCustomPolicy({ PolicyInputList: [policy(allow("*"))], ActionNames: ["sqs"] }),
  );
  equal(action?.message, "Invalid Action: sqs");
});
