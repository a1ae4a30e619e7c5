// Goal: https endpoints are reached where their certificate is one that the machine trusts, and
// nowhere else; what arrives is signed so that AWS's own validator takes it. Method: a receiver
// with a certificate of a private authority, which the process first does not know, then does.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { openPrivateCertificates } from "../../src/gateway/certificates.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { type Receiver, startReceiver } from "../delivery/receiver.ts";
import { random, secretBox } from "../gateway/support.ts";
import { startTestServer } from "../harness/server.ts";
import { makeTopic, type SnsScene, undelivered } from "./sns-scene.ts";
import { validate } from "./sns-validator.ts";

const folder = mkdtempSync(join(tmpdir(), "sealpost-receiver-"));
const trusted = [...getCACertificates("default")];
const certHost = "sns.us-east-1.amazonaws.com";
let scene: SnsScene;
let receiver: Receiver;
let ca: string;

before(async () => {
  const certificates = openPrivateCertificates({
    folder,
    secrets: secretBox,
    clock: { now: () => Date.now(), at: () => () => {} },
    random,
    hostName: "localhost",
    tlsNames: [],
    log: silentLog,
  });
  receiver = await startReceiver(certificates.material());
  certificates.close();
  ca = readFileSync(join(folder, "ca.pem"), "utf8");
  const flags = { deliveryAllow: ["127.0.0.0/8"], snsCertHost: certHost };
  const server = await startTestServer({ flags });
  scene = { server, accountId: server.accountId, ...server.rootClients };
});
after(async () => {
  setDefaultCACertificates(trusted);
  await scene.server.stop();
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

async function subscribed(TopicArn: string): Promise<Record<string, string>> {
  const seen = receiver.requests.length;
  await scene.sns.subscribe({ TopicArn, Protocol: "https", Endpoint: receiver.url });
  await receiver.waitFor(seen + 1);
  return JSON.parse(receiver.requests[seen]?.body ?? "");
}

test("a certificate of nobody's that is known ends the delivery before a word of it", async () => {
  const TopicArn = await makeTopic(scene.sns, "unknown");
  await scene.sns.subscribe({ TopicArn, Protocol: "https", Endpoint: receiver.url });
  await scene.server.advance(1);
  const mine = (await undelivered(scene)).filter(({ subscriptionArn }) =>
    subscriptionArn.startsWith(TopicArn),
  );
  assert.equal(mine.length, 1);
  assert.match(mine[0]?.failureText ?? "", /certificate/);
  assert.ok(mine[0]?.nextAttemptAt, "it may be mended: tried again");
  assert.equal(receiver.requests.length, 0);
  setDefaultCACertificates([...trusted, ca]);
  await scene.server.advance(3600);
  await receiver.waitFor(1);
  assert.equal(JSON.parse(receiver.requests[0]?.body ?? "").Type, "SubscriptionConfirmation");
});

for (const SignatureVersion of ["1", "2"]) {
  test(`version ${SignatureVersion}: sns-validator as it is takes what comes`, async () => {
    setDefaultCACertificates([...trusted, ca]);
    const TopicArn = await makeTopic(scene.sns, `signed-${SignatureVersion}`, {
      SignatureVersion,
      KmsMasterKeyId: "alias/aws/sns",
    });
    const { Token, SigningCertURL = "" } = await subscribed(TopicArn);
    assert.equal(new URL(SigningCertURL).origin, `https://${certHost}`);
    await scene.sns.confirmSubscription({ TopicArn, Token });
    const seen = receiver.requests.length;
    const { MessageId } = await scene.sns.publish({ TopicArn, Message: "höhe", Subject: "s" });
    await receiver.waitFor(seen + 1);
    const message = JSON.parse(receiver.requests[seen]?.body ?? "");
    assert.equal(message.MessageId, MessageId);
    assert.equal(message.SignatureVersion, SignatureVersion);
    // Whoever wants it unchanged lets that name lead to the server.
    const options = { fetchFrom: scene.server.httpsUrl, hostPattern: undefined };
    await validate(scene.server.ca, message, options);
    const forged = { ...message, Message: "forged" };
    await assert.rejects(validate(scene.server.ca, forged, options), /signature/i);
  });
}

test("twin: without --sns-cert-host the validator as it is refuses the host", async () => {
  const server = await startTestServer({ flags: { deliveryAllow: ["127.0.0.0/8"] } });
  const own = { server, accountId: server.accountId, ...server.rootClients };
  try {
    const TopicArn = await makeTopic(own.sns, "own-host");
    const seen = receiver.requests.length;
    await own.sns.subscribe({ TopicArn, Protocol: "https", Endpoint: receiver.url });
    await receiver.waitFor(seen + 1);
    const message = JSON.parse(receiver.requests[seen]?.body ?? "");
    const options = { hostPattern: undefined };
    await assert.rejects(validate(server.ca, message, options), /domain/);
  } finally {
    await server.stop();
  }
});
