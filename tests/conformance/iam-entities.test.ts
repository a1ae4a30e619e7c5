// Goal: groups, roles, managed policies, profiles, providers and aliases behave as IAM's: shapes,
// effects on decisions, quotas, and what stands in the way of a deletion.
// Method: one server, the SDK; texts typed from the sheet.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { allow, makeRole, policy, trusts } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const iam = () => server.rootClients.iam;
const arn = (resource: string) => `arn:aws:iam::${server.accountId}:${resource}`;
const admin = "arn:aws:iam::aws:policy/AdministratorAccess";
const conflict = "DeleteConflictException";

async function refused(call: Promise<unknown>, name: string, message: string | RegExp) {
  const denied = await refusal(call);
  equal(denied?.name, name, denied?.message ?? "not refused");
  if (typeof message === "string") equal(denied?.message, message);
  else match(denied?.message ?? "", message);
}

test("what a group may, its members may, as long as they are in it", async () => {
  const GroupName = "Senders";
  const { Group } = await iam().createGroup({ GroupName, Path: "/ops/" });
  match(Group?.GroupId ?? "", /^AGPA[A-Z2-7]{17}$/);
  equal(Group?.Arn, arn("group/ops/Senders"));
  await refused(
    iam().createGroup({ GroupName: "senders" }),
    "EntityAlreadyExistsException",
    "Group with name senders already exists.",
  );
  const user = await server.createUser("greta");
  const list = () => user.clients.sqs.listQueues({});
  equal((await refusal(list()))?.name, "AccessDenied");
  const named = { GroupName, UserName: "greta" };
  await iam().addUserToGroup(named);
  await iam().attachGroupPolicy({
    GroupName,
    PolicyArn: "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
  });
  await list();
  await iam().putGroupPolicy({
    GroupName,
    PolicyName: "topics",
    PolicyDocument: policy(allow("sns:ListTopics")),
  });
  await user.clients.sns.listTopics({});
  const shown = await iam().getGroup({ GroupName });
  deepEqual(
    shown.Users?.map((member) => member.UserName),
    ["greta"],
  );
  await iam().updateGroup({ GroupName, NewGroupName: "Publishers" });
  await list();
  const of = await iam().listGroupsForUser({ UserName: "greta" });
  deepEqual(
    of.Groups?.map((group) => group.GroupName),
    ["Publishers"],
  );
  await refused(iam().deleteUser({ UserName: "greta" }), conflict, /access keys first/);
  const renamed = { GroupName: "Publishers" };
  const first = "Cannot delete entity, must detach all policies first.";
  await refused(iam().deleteGroup(renamed), conflict, first);
  await iam().removeUserFromGroup({ ...renamed, UserName: "greta" });
  equal((await refusal(list()))?.name, "AccessDenied");
});

test("a managed policy and its versions", async () => {
  const made = await iam().createPolicy({
    PolicyName: "Queues",
    Path: "/team/",
    Description: "what the team may",
    PolicyDocument: policy(allow("sqs:ListQueues")),
    Tags: [{ Key: "team", Value: "emr" }],
  });
  const PolicyArn = made.Policy?.Arn ?? "";
  equal(PolicyArn, arn("policy/team/Queues"));
  match(made.Policy?.PolicyId ?? "", /^ANPA/);
  await refused(
    iam().createPolicy({ PolicyName: "queues", PolicyDocument: policy(allow("sqs:*")) }),
    "EntityAlreadyExistsException",
    "A policy called queues already exists. Duplicate names are not allowed.",
  );
  const user = await server.createUser("heidi");
  await iam().attachUserPolicy({ UserName: "heidi", PolicyArn });
  await user.clients.sqs.listQueues({});
  const PolicyDocument = policy(allow("sns:ListTopics"));
  const { PolicyVersion } = await iam().createPolicyVersion({ PolicyArn, PolicyDocument });
  deepEqual([PolicyVersion?.VersionId, PolicyVersion?.IsDefaultVersion], ["v2", false]);
  await user.clients.sqs.listQueues({});
  await iam().setDefaultPolicyVersion({ PolicyArn, VersionId: "v2" });
  await user.clients.sns.listTopics({});
  equal((await refusal(user.clients.sqs.listQueues({})))?.name, "AccessDenied");
  await refused(
    iam().deletePolicyVersion({ PolicyArn, VersionId: "v2" }),
    conflict,
    "Cannot delete the default version of a policy.",
  );
  await iam().deletePolicyVersion({ PolicyArn, VersionId: "v1" });
  for (const VersionId of ["v3", "v4", "v5", "v6"]) {
    const next = await iam().createPolicyVersion({ PolicyArn, PolicyDocument });
    equal(next.PolicyVersion?.VersionId, VersionId, "numbers are never used again");
  }
  await refused(
    iam().createPolicyVersion({ PolicyArn, PolicyDocument }),
    "LimitExceededException",
    /up to 5 versions/,
  );
  const { Versions } = await iam().listPolicyVersions({ PolicyArn });
  deepEqual(
    Versions?.map((version) => version.VersionId),
    ["v6", "v5", "v4", "v3", "v2"],
  );
  const shown = await iam().getPolicyVersion({ PolicyArn, VersionId: "v2" });
  equal(decodeURIComponent(shown.PolicyVersion?.Document ?? ""), PolicyDocument);
  await refused(
    iam().getPolicyVersion({ PolicyArn, VersionId: "v1" }),
    "NoSuchEntityException",
    `Policy ${PolicyArn} version v1 does not exist or is not attachable.`,
  );
  const { Policy } = await iam().getPolicy({ PolicyArn });
  deepEqual([Policy?.AttachmentCount, Policy?.DefaultVersionId], [1, "v2"]);
  const { PolicyUsers } = await iam().listEntitiesForPolicy({ PolicyArn });
  deepEqual(
    PolicyUsers?.map((entity) => entity.UserName),
    ["heidi"],
  );
  await refused(
    iam().deletePolicy({ PolicyArn }),
    conflict,
    "Cannot delete a policy attached to entities.",
  );
  await iam().detachUserPolicy({ UserName: "heidi", PolicyArn });
  await refused(iam().deletePolicy({ PolicyArn }), conflict, /more than one version/);
});

test("AWS's own policies are there for everyone, and nobody changes them", async () => {
  const { Policies } = await iam().listPolicies({ Scope: "AWS" });
  ok(Policies?.some((one) => one.Arn === admin && one.PolicyName === "AdministratorAccess"));
  const user = await server.createUser("ingo");
  await iam().attachUserPolicy({ UserName: "ingo", PolicyArn: admin });
  await user.clients.iam.listUsers({});
  const PolicyDocument = policy(allow("*"));
  const denied = await refusal(iam().createPolicyVersion({ PolicyArn: admin, PolicyDocument }));
  equal(denied?.name, "AccessDenied");
  await refused(
    iam().attachUserPolicy({ UserName: "ingo", PolicyArn: "nonsense-that-is-no-arn" }),
    "ValidationError",
    "Invalid ARN:  Could not be parsed!",
  );
  const unknown = arn("policy/none");
  await refused(
    iam().attachUserPolicy({ UserName: "ingo", PolicyArn: unknown }),
    "NoSuchEntityException",
    `Policy ${unknown} does not exist or is not attachable.`,
  );
});

test("a role: shape, trust policy, deletion, and a trust that outlives its principal", async () => {
  const user = await server.createUser("jana");
  const trust = [trusts({ AWS: user.arn })] as const;
  const RoleName = "Worker";
  const AssumeRolePolicyDocument = policy(...trust);
  const { Role } = await iam().createRole({ RoleName, AssumeRolePolicyDocument, Path: "/app/" });
  match(Role?.RoleId ?? "", /^AROA[A-Z2-7]{17}$/);
  equal(Role?.MaxSessionDuration, undefined, "AWS: not in this answer");
  const shown = (await iam().getRole({ RoleName })).Role;
  deepEqual([shown?.MaxSessionDuration, shown?.Arn], [3600, arn("role/app/Worker")]);
  equal(decodeURIComponent(shown?.AssumeRolePolicyDocument ?? ""), AssumeRolePolicyDocument);
  const ghost = `Invalid principal in policy: "AWS":"${arn("user/ghost")}"`;
  const ghosts = policy(trusts({ AWS: arn("user/ghost") }));
  const update = (PolicyDocument: string) =>
    iam().updateAssumeRolePolicy({ RoleName, PolicyDocument });
  await refused(update(ghosts), "MalformedPolicyDocumentException", ghost);
  const resource = policy({ ...trust[0], Resource: "*" });
  await refused(
    update(resource),
    "MalformedPolicyDocumentException",
    "Has prohibited field Resource. (Statement[0].Resource)",
  );
  await iam().createInstanceProfile({ InstanceProfileName: "box" });
  const both = { InstanceProfileName: "box", RoleName };
  await iam().addRoleToInstanceProfile(both);
  await refused(
    iam().addRoleToInstanceProfile(both),
    "LimitExceededException",
    "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
  );
  const inside = await iam().getInstanceProfile({ InstanceProfileName: "box" });
  equal(inside.InstanceProfile?.Roles?.[0]?.RoleName, RoleName);
  await refused(
    iam().deleteRole({ RoleName }),
    conflict,
    "Cannot delete entity, must remove roles from instance profile first.",
  );
  await iam().removeRoleFromInstanceProfile(both);
  await iam().deleteAccessKey({ UserName: "jana", AccessKeyId: user.accessKeyId });
  await iam().deleteUser({ UserName: "jana" });
  const left = (await iam().getRole({ RoleName })).Role?.AssumeRolePolicyDocument ?? "";
  match(decodeURIComponent(left), new RegExp(`"AWS":"${user.userId}"`));
  await iam().deleteRole({ RoleName });
  await refused(
    iam().getRole({ RoleName }),
    "NoSuchEntityException",
    "The role with name Worker cannot be found.",
  );
});

test("a service-linked role is its service's alone", async () => {
  const AWSServiceName = "autoscaling.amazonaws.com";
  const { Role } = await iam().createServiceLinkedRole({ AWSServiceName });
  const RoleName = Role?.RoleName ?? "";
  equal(RoleName, "AWSServiceRoleForAutoScaling");
  equal(Role?.Path, `/aws-service-role/${AWSServiceName}/`);
  await refused(
    iam().createServiceLinkedRole({ AWSServiceName }),
    "InvalidInputException",
    `Service role name ${RoleName} has been taken in this account, please try a different suffix.`,
  );
  await refused(
    iam().createServiceLinkedRole({ AWSServiceName: "config.amazonaws.com", CustomSuffix: "x" }),
    "InvalidInputException",
    "Custom suffix is not allowed for config.amazonaws.com",
  );
  await refused(
    iam().attachRolePolicy({ RoleName, PolicyArn: admin }),
    "UnmodifiableEntityException",
    /protected role/,
  );
  await refused(iam().deleteRole({ RoleName }), "UnmodifiableEntityException", /protected role/);
  const { DeletionTaskId } = await iam().deleteServiceLinkedRole({ RoleName });
  const { Status } = await iam().getServiceLinkedRoleDeletionStatus({ DeletionTaskId });
  equal(Status, "SUCCEEDED");
  await refused(iam().getRole({ RoleName }), "NoSuchEntityException", /cannot be found/);
});

test("OIDC providers, account aliases, summary", async () => {
  const Url = "https://token.example.org/tenant";
  const made = await iam().createOpenIDConnectProvider({ Url, ClientIDList: ["a", "a"] });
  const OpenIDConnectProviderArn = made.OpenIDConnectProviderArn ?? "";
  equal(OpenIDConnectProviderArn, arn("oidc-provider/token.example.org/tenant"));
  const again = await refusal(iam().createOpenIDConnectProvider({ Url }));
  equal(again?.name, "EntityAlreadyExistsException");
  const plain = iam().createOpenIDConnectProvider({ Url: "http://token.example.org" });
  equal((await refusal(plain))?.name, "ValidationError");
  const shown = await iam().getOpenIDConnectProvider({ OpenIDConnectProviderArn });
  deepEqual([shown.Url, shown.ClientIDList], ["token.example.org/tenant", ["a"]]);
  await iam().createAccountAlias({ AccountAlias: "clinic" });
  deepEqual((await iam().listAccountAliases({})).AccountAliases, ["clinic"]);
  await iam().deleteAccountAlias({ AccountAlias: "clinic" });
  deepEqual((await iam().listAccountAliases({})).AccountAliases, []);
  const { SummaryMap } = await iam().getAccountSummary({});
  equal(SummaryMap?.Providers, 1);
  equal(SummaryMap?.AccessKeysPerUserQuota, 2);
  await iam().deleteOpenIDConnectProvider({ OpenIDConnectProviderArn });
  equal((await iam().getAccountSummary({})).SummaryMap?.Providers, 0);
});

test("everything of an account at once, in pages", async () => {
  await makeRole(server.rootClients, "zeta", [trusts({ Service: "ec2.amazonaws.com" })]);
  const seen: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await iam().getAccountAuthorizationDetails({ MaxItems: 3, Marker });
    seen.push(...(page.UserDetailList ?? []).map((one) => `user ${one.UserName}`));
    seen.push(...(page.GroupDetailList ?? []).map((one) => `group ${one.GroupName}`));
    seen.push(...(page.RoleDetailList ?? []).map((one) => `role ${one.RoleName}`));
    seen.push(...(page.Policies ?? []).map((one) => `policy ${one.PolicyName}`));
    Marker = page.Marker;
    equal(page.IsTruncated === true, Marker !== undefined);
  } while (Marker !== undefined);
  ok(seen.includes("role zeta") && seen.includes("policy Queues"), seen.join(", "));
  ok(seen.includes("policy AdministratorAccess"), "AWS's are listed where they are attached");
  equal(new Set(seen).size, seen.length);
  const only = await iam().getAccountAuthorizationDetails({ Filter: ["Role"] });
  deepEqual(only.UserDetailList, []);
  equal(only.RoleDetailList?.at(-1)?.RoleName, "zeta");
});

test("tags of roles and policies, and the quota of attached policies", async () => {
  const Tags = [{ Key: "Team", Value: "emr" }];
  await iam().tagRole({ RoleName: "zeta", Tags });
  deepEqual((await iam().listRoleTags({ RoleName: "zeta" })).Tags, Tags);
  await iam().untagRole({ RoleName: "zeta", TagKeys: ["team"] });
  deepEqual((await iam().listRoleTags({ RoleName: "zeta" })).Tags, []);
  const PolicyArn = arn("policy/team/Queues");
  deepEqual((await iam().listPolicyTags({ PolicyArn })).Tags, [{ Key: "team", Value: "emr" }]);
  const { Policies = [] } = await iam().listPolicies({ Scope: "AWS" });
  for (const one of Policies.slice(0, 10)) {
    await iam().attachRolePolicy({ RoleName: "zeta", PolicyArn: one.Arn });
  }
  await refused(
    iam().attachRolePolicy({ RoleName: "zeta", PolicyArn }),
    "LimitExceededException",
    "Cannot exceed quota for PoliciesPerRole: 10",
  );
  const attached = await iam().listAttachedRolePolicies({ RoleName: "zeta" });
  equal(attached.AttachedPolicies?.length, 10);
  notEqual(attached.AttachedPolicies?.[0]?.PolicyArn, undefined);
});

test("an account holds as many of a kind as its quota allows, and one more when one has gone", async () => {
  const create = (name: string) =>
    iam().createOpenIDConnectProvider({ Url: `https://${name}.example.org` });
  const made = await Promise.all(Array.from({ length: 100 }, (_, index) => create(`of-${index}`)));
  const text = "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100";
  await refused(create("one-more"), "LimitExceededException", text);
  await iam().deleteOpenIDConnectProvider({
    OpenIDConnectProviderArn: made[0]?.OpenIDConnectProviderArn,
  });
  await create("one-more");
  await refused(create("of-0"), "LimitExceededException", text);
});
