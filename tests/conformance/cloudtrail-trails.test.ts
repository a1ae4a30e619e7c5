// Goal: trails are configured as with CloudTrail, errors and texts included. Method: the real SDK
// client against a whole server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
let cloudtrail: CloudTrail;
const account = "123456789012";
const arnOf = (name: string, region = "us-east-1") =>
  `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;
const bucket = { S3BucketName: "audit-bucket" };

before(async () => {
  server = await startTestServer();
  cloudtrail = server.rootClients.cloudtrail;
});
after(() => server.stop());

async function refused(call: Promise<unknown>, name: string, text: string | RegExp) {
  const found = await refusal(call);
  assert.deepEqual([found?.name, found?.status], [name, 400]);
  if (typeof text === "string") assert.equal(found?.message, text);
  else assert.match(found?.message ?? "", text);
}

test("create, get, describe, list, update, delete", async () => {
  const created = await cloudtrail.createTrail({
    Name: "main",
    ...bucket,
    S3KeyPrefix: "logs",
    TagsList: [{ Key: "team", Value: "security" }],
  });
  const { $metadata: _metadata, ...answer } = created;
  const expected = {
    Name: "main",
    S3BucketName: "audit-bucket",
    S3KeyPrefix: "logs",
    IncludeGlobalServiceEvents: true,
    IsMultiRegionTrail: false,
    TrailARN: arnOf("main"),
    LogFileValidationEnabled: false,
    IsOrganizationTrail: false,
  };
  assert.deepEqual(answer, expected);
  const shown = {
    ...expected,
    HomeRegion: "us-east-1",
    HasCustomEventSelectors: false,
    HasInsightSelectors: false,
  };
  for (const Name of ["main", arnOf("main")]) {
    assert.deepEqual((await cloudtrail.getTrail({ Name })).Trail, shown);
  }
  assert.deepEqual((await cloudtrail.describeTrails({})).trailList, [shown]);
  const none = await cloudtrail.describeTrails({ trailNameList: ["other"] });
  assert.deepEqual(none.trailList, []);
  assert.deepEqual((await cloudtrail.listTrails({})).Trails, [
    { Name: "main", TrailARN: arnOf("main"), HomeRegion: "us-east-1" },
  ]);
  const updated = await cloudtrail.updateTrail({
    Name: "main",
    S3BucketName: "other-bucket",
    S3KeyPrefix: "",
    EnableLogFileValidation: true,
  });
  assert.deepEqual(
    [updated.S3BucketName, updated.S3KeyPrefix, updated.LogFileValidationEnabled],
    ["other-bucket", undefined, true],
  );
  await cloudtrail.deleteTrail({ Name: "main" });
  await refused(
    cloudtrail.getTrail({ Name: "main" }),
    "TrailNotFoundException",
    `Unknown trail: main for the user: ${account}`,
  );
});

test("names", async () => {
  const create = (Name: string) => cloudtrail.createTrail({ Name, ...bucket });
  const texts: readonly (readonly [string, string | RegExp])[] = [
    [
      "ab",
      "Trail name too short. Minimum allowed length: 3 characters. " +
        "Specified name length: 2 characters.",
    ],
    ["a".repeat(129), /^Trail name too long\. .*129 characters\.$/],
    ["-abc", "Trail name must starts with a letter or number."],
    ["abc-", "Trail name must ends with a letter or number."],
    [
      "a b c",
      "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, " +
        "periods (.), hyphens (-), and underscores (_).",
    ],
    ["a--b", /adjacent/],
    ["10.0.0.1", /IP address/],
  ];
  for (const [name, text] of texts) {
    await refused(create(name), "InvalidTrailNameException", text);
  }
  await refused(
    cloudtrail.getTrail({ Name: "arn:aws:sns:us-east-1:123456789012:topic" }),
    "CloudTrailARNInvalidException",
    /ARN/,
  );
});

test("what cannot be created", async () => {
  const create = (given: object) => cloudtrail.createTrail({ Name: "trail", ...bucket, ...given });
  const cases: readonly (readonly [object, string, string | RegExp])[] = [
    [
      { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
      "InvalidParameterCombinationException",
      "Multi-Region trail must include global service events.",
    ],
    [{ S3BucketName: "No_Bucket" }, "InvalidS3BucketNameException", /No_Bucket/],
    [{ S3KeyPrefix: "x".repeat(201) }, "InvalidS3PrefixException", /200/],
    [{ S3KeyPrefix: "../../etc" }, "InvalidS3PrefixException", /invalid/],
    [
      { SnsTopicName: "no-such-topic" },
      "InsufficientSnsTopicPolicyException",
      "SNS Topic does not exist or the topic policy is incorrect!",
    ],
    [{ SnsTopicName: "no topic!" }, "InvalidSnsTopicNameException", /no topic!/],
    [{ KmsKeyId: "arn:aws:s3:::b" }, "InvalidKmsKeyIdException", /invalid/],
    [{ KmsKeyId: "1234abcd-12ab-34cd-56ef-1234567890ab" }, "KmsKeyNotFoundException", /not found/],
    [{ IsOrganizationTrail: true }, "OrganizationsNotInUseException", /organization/],
    [
      { CloudWatchLogsLogGroupArn: "arn:aws:logs:us-east-1:1:g" },
      "CloudWatchLogsDeliveryUnavailableException",
      /not offered/,
    ],
    [{ TagsList: [{ Key: "aws:x" }] }, "InvalidTagParameterException", /aws:/],
  ];
  for (const [given, name, text] of cases) await refused(create(given), name, text);
  assert.deepEqual((await cloudtrail.listTrails({})).Trails, []);
});

test("five trails of a region, names taken, trails of several regions", async () => {
  const west = server.clients(server.root, { region: "us-west-2" }).cloudtrail;
  for (let index = 1; index <= 5; index += 1) {
    await cloudtrail.createTrail({ Name: `trail-${index}`, ...bucket });
  }
  await refused(
    cloudtrail.createTrail({ Name: "trail-6", ...bucket }),
    "MaximumNumberOfTrailsExceededException",
    /5 trails/,
  );
  await cloudtrail.deleteTrail({ Name: "trail-5" });
  await refused(
    cloudtrail.createTrail({ Name: "trail-1", ...bucket }),
    "TrailAlreadyExistsException",
    `Trail trail-1 already exists for customer: ${account}`,
  );
  await west.createTrail({ Name: "everywhere", ...bucket, IsMultiRegionTrail: true });
  const names = async (includeShadowTrails: boolean) =>
    (await cloudtrail.describeTrails({ includeShadowTrails })).trailList?.map(({ Name }) => Name);
  assert.deepEqual((await names(true))?.includes("everywhere"), true);
  assert.deepEqual((await names(false))?.includes("everywhere"), false);
  assert.equal((await cloudtrail.getTrail({ Name: "everywhere" })).Trail?.HomeRegion, "us-west-2");
  await refused(
    cloudtrail.stopLogging({ Name: "everywhere" }),
    "InvalidHomeRegionException",
    /home region us-west-2/,
  );
  await west.deleteTrail({ Name: "everywhere" });
  for (let index = 1; index <= 4; index += 1) {
    await cloudtrail.deleteTrail({ Name: `trail-${index}` });
  }
});

test("logging starts and stops, and the status tells", async () => {
  await cloudtrail.createTrail({ Name: "status", ...bucket });
  const before = await cloudtrail.getTrailStatus({ Name: "status" });
  assert.deepEqual([before.IsLogging, before.TimeLoggingStarted], [false, ""]);
  await cloudtrail.startLogging({ Name: "status" });
  const during = await cloudtrail.getTrailStatus({ Name: "status" });
  assert.equal(during.IsLogging, true);
  assert.ok(during.StartLoggingTime);
  assert.match(during.TimeLoggingStarted ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  await cloudtrail.stopLogging({ Name: "status" });
  const after = await cloudtrail.getTrailStatus({ Name: "status" });
  assert.deepEqual([after.IsLogging, after.StopLoggingTime !== undefined], [false, true]);
  await cloudtrail.deleteTrail({ Name: "status" });
});

test("tags", async () => {
  await cloudtrail.createTrail({ Name: "tagged", ...bucket });
  const ResourceId = arnOf("tagged");
  await cloudtrail.addTags({ ResourceId, TagsList: [{ Key: "a", Value: "1" }, { Key: "b" }] });
  await cloudtrail.removeTags({ ResourceId, TagsList: [{ Key: "b" }] });
  const { ResourceTagList } = await cloudtrail.listTags({ ResourceIdList: [ResourceId] });
  assert.deepEqual(ResourceTagList, [{ ResourceId, TagsList: [{ Key: "a", Value: "1" }] }]);
  const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}` }));
  await refused(
    cloudtrail.addTags({ ResourceId, TagsList: many }),
    "TagsLimitExceededException",
    /50/,
  );
  await refused(
    cloudtrail.addTags({ ResourceId: "tagged", TagsList: [] }),
    "CloudTrailARNInvalidException",
    /tagged/,
  );
  await cloudtrail.deleteTrail({ Name: "tagged" });
});

test("event selectors: what a new trail has, both forms, and what is refused", async () => {
  const TrailName = "selecting";
  await cloudtrail.createTrail({ Name: TrailName, ...bucket });
  const fresh = await cloudtrail.getEventSelectors({ TrailName });
  assert.deepEqual(fresh.EventSelectors, [
    {
      ReadWriteType: "All",
      IncludeManagementEvents: true,
      DataResources: [],
      ExcludeManagementEventSources: [],
    },
  ]);
  const AdvancedEventSelectors = [
    {
      Name: "messages",
      FieldSelectors: [
        { Field: "eventCategory", Equals: ["Data"] },
        { Field: "resources.type", Equals: ["AWS::SQS::Queue"] },
        { Field: "resources.ARN", StartsWith: ["arn:aws:sqs:us-east-1:"] },
      ],
    },
  ];
  await cloudtrail.putEventSelectors({ TrailName, AdvancedEventSelectors });
  const advanced = await cloudtrail.getEventSelectors({ TrailName });
  assert.deepEqual(advanced.AdvancedEventSelectors, AdvancedEventSelectors);
  assert.equal(advanced.EventSelectors, undefined);
  assert.equal(
    (await cloudtrail.getTrail({ Name: TrailName })).Trail?.HasCustomEventSelectors,
    true,
  );

  const put = (given: object) => cloudtrail.putEventSelectors({ TrailName, ...given });
  const fields = (...FieldSelectors: object[]) =>
    put({ AdvancedEventSelectors: [{ FieldSelectors }] });
  const management = { Field: "eventCategory", Equals: ["Management"] };
  const data = { Field: "eventCategory", Equals: ["Data"] };
  const wrong: readonly (() => Promise<unknown>)[] = [
    () => put({}),
    () => put({ EventSelectors: [], AdvancedEventSelectors }),
    () => put({ EventSelectors: Array.from({ length: 6 }, () => ({})) }),
    () => put({ EventSelectors: [{ ExcludeManagementEventSources: ["sns.amazonaws.com"] }] }),
    () => put({ EventSelectors: [{ DataResources: [{ Type: "AWS::SNS::Topic", Values: [] }] }] }),
    () => fields({ Field: "readOnly", Equals: ["true"] }),
    () => fields(data),
    () => fields(data, { Field: "nonsense", Equals: ["x"] }),
    () => fields(data, { Field: "resources.type" }),
    () => fields(management, { Field: "readOnly", Equals: ["maybe"] }),
    () => fields(management, { Field: "resources.type", Equals: ["AWS::SQS::Queue"] }),
    () => fields(management, { Field: "eventSource", Equals: ["kms.amazonaws.com"] }),
    () => fields(management, management),
    () =>
      fields(data, {
        Field: "resources.type",
        Equals: Array.from({ length: 501 }, (_, index) => `T${index}`),
      }),
  ];
  for (const call of wrong) await refused(call(), "InvalidEventSelectorsException", /./);
  await cloudtrail.deleteTrail({ Name: TrailName });
});

test("no trail looks for unusual activity: told as AWS tells it", async () => {
  const { TrailARN = "" } = await cloudtrail.createTrail({ Name: "calm", ...bucket });
  const message =
    `Trail name ${TrailARN} does not have Insights enabled. Edit the trail settings to enable ` +
    "Insights, and then try the operation again.";
  for (const TrailName of ["calm", TrailARN]) {
    const asked = cloudtrail.getInsightSelectors({ TrailName });
    await refused(asked, "InsightNotEnabledException", message);
  }
  const absent = cloudtrail.getInsightSelectors({ TrailName: "absent" });
  await refused(absent, "TrailNotFoundException", /^Unknown trail: absent/);
  const nothing = cloudtrail.getInsightSelectors({});
  await refused(nothing, "InvalidParameterCombinationException", /TrailName/);
  const store = `arn:aws:cloudtrail:us-east-1:${server.accountId}:eventdatastore/x`;
  const lake = cloudtrail.getInsightSelectors({ EventDataStore: store });
  await refused(lake, "UnsupportedOperationException", /is not offered by this server/);
  await cloudtrail.deleteTrail({ Name: "calm" });
});

test("every operation needs its right on the trail", async () => {
  await cloudtrail.createTrail({ Name: "guarded", ...bucket });
  const user = await server.createUser("Nosy", {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "cloudtrail:GetTrail", Resource: arnOf("guarded") },
  });
  const own = user.clients.cloudtrail;
  assert.equal((await own.getTrail({ Name: "guarded" })).Trail?.Name, "guarded");
  await refused(
    own.stopLogging({ Name: "guarded" }),
    "AccessDeniedException",
    new RegExp(
      `not authorized to perform: cloudtrail:StopLogging on resource: ${arnOf("guarded")}`,
    ),
  );
  await refused(own.getTrail({ Name: "absent" }), "AccessDeniedException", /GetTrail/);
  await cloudtrail.deleteTrail({ Name: "guarded" });
});

test("public keys of digests are listed by time, as PKCS #1", async () => {
  await cloudtrail.createTrail({ Name: "keys", ...bucket, EnableLogFileValidation: true });
  await cloudtrail.startLogging({ Name: "keys" });
  await server.advance(3700);
  const { PublicKeyList = [] } = await cloudtrail.listPublicKeys({});
  assert.equal(PublicKeyList.length, 1);
  const { createPublicKey } = await import("node:crypto");
  const key = createPublicKey({
    key: Buffer.from(PublicKeyList[0]?.Value ?? []),
    format: "der",
    type: "pkcs1",
  });
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
  assert.match(PublicKeyList[0]?.Fingerprint ?? "", /^[0-9a-f]{32}$/);
  const long = new Date(Date.now() - 40 * 86_400_000);
  const old = await cloudtrail.listPublicKeys({ StartTime: long, EndTime: long });
  assert.deepEqual(old.PublicKeyList, []);
  await cloudtrail.deleteTrail({ Name: "keys" });
});

test("LookupEvents can be limited as AWS does", async () => {
  const limited = await startTestServer({ flags: { lookupQuota: "aws" } });
  try {
    const calls = [1, 2, 3].map(() => refusal(limited.rootClients.cloudtrail.lookupEvents({})));
    const names = (await Promise.all(calls)).map((found) => found?.name);
    assert.ok(names.includes("ThrottlingException"));
    assert.ok(names.filter((name) => name === undefined).length >= 2);
  } finally {
    await limited.stop();
  }
});
