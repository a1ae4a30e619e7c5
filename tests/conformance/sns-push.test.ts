// Goal: applications, devices and phones are managed as in AWS, and what is published to them lies
// sealed until an operator reads it: nothing is sent anywhere. Method: the real SDK client; the
// outbox of the operator; the data folder is searched for bodies and credentials.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { filesWith, formsOf } from "../encryption/files.ts";
import { invalid, makeTopic, refuses, type SnsScene, snsScene } from "./sns-scene.ts";

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

interface OutboxMessage {
  readonly protocol: string;
  readonly endpoint: string;
  readonly message: string;
  readonly subject: string | null;
}

async function outbox(topicArn?: string): Promise<readonly OutboxMessage[]> {
  const query = topicArn === undefined ? "" : `?topic=${encodeURIComponent(topicArn)}`;
  const path = `/_sealpost/outbox${query}`;
  const answer = await scene.server.send({ service: "sealpost", method: "GET", path });
  return JSON.parse(answer.body).messages;
}

const credential = "credential-of-the-platform";
const application = async (Name: string, Platform = "GCM") => {
  const { PlatformApplicationArn = "" } = await scene.sns.createPlatformApplication({
    Name,
    Platform,
    Attributes: { PlatformCredential: credential },
  });
  return PlatformApplicationArn;
};
const device = async (PlatformApplicationArn: string, Token: string, more = {}) => {
  const input = { PlatformApplicationArn, Token, ...more };
  return (await scene.sns.createPlatformEndpoint(input)).EndpointArn ?? "";
};
const none = "00000000-0000-4000-8000-000000000000";

test("applications: made, changed, listed, removed; credentials are forgotten", async () => {
  const { sns, accountId } = scene;
  const PlatformApplicationArn = await application("app");
  assert.equal(PlatformApplicationArn, `arn:aws:sns:us-east-1:${accountId}:app/GCM/app`);
  assert.equal(await application("app"), PlatformApplicationArn);
  const get = async () =>
    (await sns.getPlatformApplicationAttributes({ PlatformApplicationArn })).Attributes;
  assert.deepEqual(await get(), { Enabled: "true" });
  const Attributes = { SuccessFeedbackSampleRate: "10", PlatformPrincipal: credential };
  await sns.setPlatformApplicationAttributes({ PlatformApplicationArn, Attributes });
  assert.deepEqual(await get(), { Enabled: "true", SuccessFeedbackSampleRate: "10" });
  assert.deepEqual(filesWith(scene.server.dataFolder, formsOf(Buffer.from(credential))), []);
  const { PlatformApplications = [] } = await sns.listPlatformApplications({});
  assert.deepEqual(
    PlatformApplications.map((one) => one.PlatformApplicationArn),
    [PlatformApplicationArn],
  );
  const EndpointArn = await device(PlatformApplicationArn, "gone");
  await sns.deletePlatformApplication({ PlatformApplicationArn });
  await refuses(get(), "NotFoundException", 404, "PlatformApplication does not exist");
  const lost = sns.getEndpointAttributes({ EndpointArn });
  await refuses(lost, "NotFoundException", 404, "Endpoint does not exist");
  const bad = (Name: string, Platform: string, given: Record<string, string>) =>
    sns.createPlatformApplication({ Name, Platform, Attributes: given });
  await invalid(bad("a b", "GCM", { PlatformCredential: "x" }), "Name Reason: invalid");
  await invalid(
    bad("a", "FAX", { PlatformCredential: "x" }),
    "Platform Reason: FAX is not supported",
  );
  await invalid(bad("a", "GCM", { Enabled: "true" }), /Platform credential is required/);
  await invalid(bad("a", "GCM", { PlatformCredential: "x", Nonsense: "y" }), /Nonsense/);
});

test("devices: one for each token, with attributes of their own", async () => {
  const { sns } = scene;
  const PlatformApplicationArn = await application("devices");
  const EndpointArn = await device(PlatformApplicationArn, "token-1", { CustomUserData: "me" });
  assert.match(EndpointArn, /:endpoint\/GCM\/devices\/[0-9a-f-]{36}$/);
  const again = await device(PlatformApplicationArn, "token-1", { CustomUserData: "me" });
  assert.equal(again, EndpointArn);
  await invalid(
    device(PlatformApplicationArn, "token-1", { CustomUserData: "other" }),
    `Token Reason: Endpoint ${EndpointArn} already exists with the same Token, ` +
      "but different attributes.",
  );
  await sns.setEndpointAttributes({ EndpointArn, Attributes: { Enabled: "False" } });
  const { Attributes } = await sns.getEndpointAttributes({ EndpointArn });
  assert.deepEqual(Attributes, { Enabled: "false", Token: "token-1", CustomUserData: "me" });
  const { Endpoints = [] } = await sns.listEndpointsByPlatformApplication({
    PlatformApplicationArn,
  });
  assert.equal(Endpoints.length, 1);
  await sns.deleteEndpoint({ EndpointArn });
  await sns.deleteEndpoint({ EndpointArn });
  const lost = sns.getEndpointAttributes({ EndpointArn });
  await refuses(lost, "NotFoundException", 404, "Endpoint does not exist");
  await invalid(sns.getEndpointAttributes({ EndpointArn: "x" }), /at least 6 elements, not 1/);
  const missing = PlatformApplicationArn.replace("devices", "missing");
  const text = "PlatformApplication does not exist";
  await refuses(device(missing, "t"), "NotFoundException", 404, text);
});

test("a message for a device lies in the outbox, sealed; each platform has its part", async () => {
  const { sns } = scene;
  const TargetArn = await device(await application("phones", "APNS"), "t");
  const parts = { default: "d-secret", APNS: '{"aps":"apns-secret"}', GCM: "g-secret" };
  const Message = JSON.stringify(parts);
  const { MessageId } = await sns.publish({ TargetArn, Message, MessageStructure: "json" });
  assert.match(MessageId ?? "", /^[0-9a-f-]{36}$/);
  const sealed = formsOf(Buffer.from("apns-secret"));
  assert.deepEqual(filesWith(scene.server.dataFolder, sealed), []);
  const [entry] = await outbox(TargetArn);
  assert.deepEqual(
    [entry?.protocol, entry?.endpoint, entry?.message],
    ["application", TargetArn, parts.APNS],
  );
  const TopicArn = await makeTopic(sns, "to-devices");
  await sns.subscribe({ TopicArn, Protocol: "application", Endpoint: TargetArn });
  await sns.publish({ TopicArn, Message, MessageStructure: "json" });
  assert.equal((await outbox(TopicArn))[0]?.message, parts.APNS, "by way of a topic too");
});

test("a device or application that is off refuses, as does one that is not there", async () => {
  const { sns } = scene;
  const PlatformApplicationArn = await application("off");
  const TargetArn = await device(PlatformApplicationArn, "t");
  const publish = (target = TargetArn) => sns.publish({ TargetArn: target, Message: "m" });
  const enabled = (Enabled: string) => ({ Attributes: { Enabled } });
  await sns.setEndpointAttributes({ EndpointArn: TargetArn, ...enabled("false") });
  await refuses(publish(), "EndpointDisabledException", 400, "Endpoint is disabled");
  await sns.setEndpointAttributes({ EndpointArn: TargetArn, ...enabled("true") });
  await sns.setPlatformApplicationAttributes({ PlatformApplicationArn, ...enabled("false") });
  await refuses(publish(), "PlatformApplicationDisabledException", 400, /disabled/);
  await sns.setPlatformApplicationAttributes({ PlatformApplicationArn, ...enabled("true") });
  await publish();
  const missing = TargetArn.replace(/[0-9a-f-]{36}$/, none);
  const text = "TargetArn Reason: No endpoint found for the target arn specified";
  await invalid(publish(missing), text);
});

test("a phone: the number is checked, the message lies in the outbox", async () => {
  const { sns, server } = scene;
  await invalid(
    sns.publish({ PhoneNumber: "abc", Message: "m" }),
    "PhoneNumber Reason: abc is not valid to publish to",
  );
  await sns.publish({ PhoneNumber: "+1 206 555 1234", Message: "secret code", Subject: "s" });
  const entry = (await outbox()).find(({ endpoint }) => endpoint === "+12065551234");
  assert.deepEqual([entry?.protocol, entry?.message, entry?.subject], ["sms", "secret code", "s"]);
  const long = sns.publish({ PhoneNumber: "+12065551234", Message: "x".repeat(262_145) });
  await invalid(long, "Message too long");
  const user = await server.createUser("topics-only", {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "sns:Publish", Resource: "arn:aws:sns:*:*:t" },
  });
  const denied = user.clients.sns.publish({ PhoneNumber: "+12065551234", Message: "m" });
  await refuses(denied, "AuthorizationErrorException", 403, /on resource: \+12065551234/);
});

test("preferences for phones are kept and shown", async () => {
  const { sns } = scene;
  assert.deepEqual((await sns.getSMSAttributes({})).attributes ?? {}, {});
  await sns.setSMSAttributes({ attributes: { DefaultSMSType: "Promotional" } });
  await sns.setSMSAttributes({ attributes: { DefaultSenderID: "Sealpost" } });
  const kept = { DefaultSMSType: "Promotional", DefaultSenderID: "Sealpost" };
  assert.deepEqual((await sns.getSMSAttributes({})).attributes, kept);
  const one = await sns.getSMSAttributes({ attributes: ["DefaultSenderID"] });
  assert.deepEqual(one.attributes, { DefaultSenderID: "Sealpost" });
  await invalid(sns.setSMSAttributes({ attributes: { DefaultSMSType: "Loud" } }), /Loud/);
  await invalid(sns.setSMSAttributes({ attributes: { Nonsense: "x" } }), /not a valid attribute/);
});
