// Goal: the event history answers as CloudTrail's. Method: the real SDK client looks up what other
// clients did just before, by every attribute, in pages, and with questions that are refused.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LookupAttributeKey } from "@aws-sdk/client-cloudtrail";
import { makeTopic, refuses, type SnsScene, snsScene } from "./sns-scene.ts";

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

const by = (AttributeKey: LookupAttributeKey, AttributeValue: string) => ({
  LookupAttributes: [{ AttributeKey, AttributeValue }],
});

test("an event is readable at once and found by each attribute", async () => {
  const { cloudtrail, server } = scene;
  const rights = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  };
  const user = await server.createUser("Ada", rights);
  const TopicArn = await makeTopic(user.clients.sns, "looked-up", { DisplayName: "d" });
  const { Events = [] } = await cloudtrail.lookupEvents({});
  const event = Events[0];
  assert.equal(event?.EventName, "CreateTopic");
  const record = JSON.parse(event?.CloudTrailEvent ?? "");
  assert.deepEqual(record.requestParameters, {
    name: "looked-up",
    attributes: { DisplayName: "d" },
  });
  assert.deepEqual(record.responseElements, { topicArn: TopicArn });
  assert.deepEqual(record.userIdentity, {
    type: "IAMUser",
    principalId: user.userId,
    arn: user.arn,
    accountId: scene.accountId,
    accessKeyId: user.accessKeyId,
    userName: "Ada",
  });
  assert.equal(record.tlsDetails.clientProvidedHostHeader, new URL(server.httpsUrl).host);
  assert.equal(record.eventID, event?.EventId);
  const questions: [LookupAttributeKey, string][] = [
    ["EventId", event?.EventId ?? ""],
    ["EventName", "CreateTopic"],
    ["Username", "Ada"],
    ["EventSource", "sns.amazonaws.com"],
    ["AccessKeyId", user.accessKeyId],
    ["ReadOnly", "false"],
    ["ResourceType", "AWS::SNS::Topic"],
    ["ResourceName", TopicArn],
  ];
  for (const [key, value] of questions) {
    const found = await cloudtrail.lookupEvents(by(key, value));
    assert.ok(
      found.Events?.some(({ EventId }) => EventId === event?.EventId),
      key,
    );
    const other = await cloudtrail.lookupEvents(by(key, key === "ReadOnly" ? "true" : "nothing"));
    assert.ok(!other.Events?.some(({ EventId }) => EventId === event?.EventId), `not ${key}`);
  }
  assert.deepEqual(event?.Resources, [{ ResourceType: "AWS::SNS::Topic", ResourceName: TopicArn }]);
});

test("pages are newest first, and a token belongs to its question", async () => {
  const { cloudtrail, sns } = scene;
  for (let index = 0; index < 7; index += 1) await makeTopic(sns, `page-${index}`);
  const question = by("EventName", "CreateTopic");
  const names: string[] = [];
  let NextToken: string | undefined;
  let first: string | undefined;
  do {
    const page = await cloudtrail.lookupEvents({ ...question, MaxResults: 3, NextToken });
    for (const { CloudTrailEvent = "" } of page.Events ?? []) {
      names.push(JSON.parse(CloudTrailEvent).requestParameters.name);
    }
    NextToken = page.NextToken;
    first ??= NextToken;
  } while (NextToken);
  const pages = names.filter((name) => name.startsWith("page-"));
  assert.deepEqual(
    pages,
    [6, 5, 4, 3, 2, 1, 0].map((index) => `page-${index}`),
  );
  assert.equal(new Set(names).size, names.length);
  for (const wrong of [by("EventName", "CreateQueue"), {}]) {
    await refuses(
      cloudtrail.lookupEvents({ ...wrong, NextToken: first }),
      "InvalidNextTokenException",
      400,
      /token/,
    );
  }
  await refuses(
    cloudtrail.lookupEvents({ NextToken: "bm9uc2Vuc2U" }),
    "InvalidNextTokenException",
    400,
    /token/,
  );
});

test("what cannot be asked", async () => {
  const { cloudtrail } = scene;
  const two = [
    { AttributeKey: "EventName" as const, AttributeValue: "a" },
    { AttributeKey: "Username" as const, AttributeValue: "b" },
  ];
  await refuses(
    cloudtrail.lookupEvents({ LookupAttributes: two }),
    "InvalidLookupAttributesException",
    400,
    /one lookup attribute/,
  );
  await refuses(
    cloudtrail.lookupEvents(by("ReadOnly", "perhaps")),
    "InvalidLookupAttributesException",
    400,
    /ReadOnly/,
  );
  const day = 86_400_000;
  const now = Date.now();
  await refuses(
    cloudtrail.lookupEvents({ StartTime: new Date(now), EndTime: new Date(now - day) }),
    "InvalidTimeRangeException",
    400,
    /start time/,
  );
  await refuses(
    cloudtrail.lookupEvents({ EndTime: new Date(now - 100 * day) }),
    "InvalidTimeRangeException",
    400,
    /90 days/,
  );
  for (const MaxResults of [0, 51]) {
    const refused = cloudtrail.lookupEvents({ MaxResults });
    await assert.rejects(refused, /^(InvalidMaxResults|Validation)/);
  }
  const { Events } = await cloudtrail.lookupEvents({ EventCategory: "insight" });
  assert.deepEqual(Events, []);
});

test("a time range and the history's end", async () => {
  const { cloudtrail, sns, server } = scene;
  const question = by("EventName", "DeleteTopic");
  const TopicArn = await makeTopic(sns, "old");
  await sns.deleteTopic({ TopicArn });
  const [event] = (await cloudtrail.lookupEvents(question)).Events ?? [];
  const at = event?.EventTime ?? new Date(0);
  const second = (offset: number) => new Date(at.getTime() + offset * 1000);
  const count = async (StartTime: Date, EndTime: Date) =>
    (await cloudtrail.lookupEvents({ ...question, StartTime, EndTime })).Events?.length;
  assert.equal(await count(second(-1), second(1)), 1);
  assert.equal(await count(second(2), second(3)), 0);
  assert.equal(await count(second(-3), second(-2)), 0);
  await server.advance(91 * 86_400);
  assert.equal((await cloudtrail.lookupEvents(question)).Events?.length, 0);
});

test("denials are told, message operations and reads of secrets are not", async () => {
  const { cloudtrail, sns, server } = scene;
  const TopicArn = await makeTopic(sns, "denied");
  const user = await server.createUser("Eve");
  await assert.rejects(user.clients.sns.deleteTopic({ TopicArn }));
  await assert.rejects(user.clients.sns.publish({ TopicArn, Message: "m" }));
  await sns.publish({ TopicArn, Message: "m" });
  const { Events = [] } = await cloudtrail.lookupEvents(by("Username", "Eve"));
  const records = Events.map(({ CloudTrailEvent = "" }) => JSON.parse(CloudTrailEvent));
  assert.deepEqual(
    records.map(({ eventName, errorCode }) => [eventName, errorCode]),
    [["DeleteTopic", "AccessDenied"]],
  );
  assert.match(records[0].errorMessage, /^User: .* is not authorized to perform: SNS:DeleteTopic/);
  const { Events: published } = await cloudtrail.lookupEvents(by("EventName", "Publish"));
  assert.deepEqual(published, []);
});

test("each region has its own history", async () => {
  const west = scene.server.clients(scene.server.root, { region: "eu-west-1" });
  await makeTopic(west.sns, "west");
  const [event] = (await west.cloudtrail.lookupEvents(by("EventName", "CreateTopic"))).Events ?? [];
  assert.equal(JSON.parse(event?.CloudTrailEvent ?? "").awsRegion, "eu-west-1");
  const { Events = [] } = await scene.cloudtrail.lookupEvents(by("EventName", "CreateTopic"));
  assert.ok(!Events.some(({ EventId }) => EventId === event?.EventId));
});

test("LookupEvents needs its right", async () => {
  const user = await scene.server.createUser("Nosy");
  await refuses(
    user.clients.cloudtrail.lookupEvents({}),
    "AccessDeniedException",
    400,
    /is not authorized to perform: cloudtrail:LookupEvents/,
  );
});
