import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type DemoClients, refusalOf } from "./clients.ts";
import {
  type Clinic,
  keyPolicyWithoutGenerate,
  keyPolicyWithoutSns,
  receiveAll,
  workingKeyPolicy,
} from "./scenario.ts";
import type { Story } from "./story.ts";

/** What the demo can do to its server besides the AWS APIs. */
export interface DemoServer {
  readonly dataFolder: string;
  /** Moves the server's virtual clock. */
  advance(seconds: number): Promise<void>;
  /** Notifications that did not reach their queue, with the reason. */
  undelivered(topicArn: string): Promise<readonly UndeliveredLine[]>;
}

export interface UndeliveredLine {
  readonly subscriptionArn: string;
  readonly failureCode: string;
  readonly failureText: string;
}

/** A record with a text that must be found nowhere on disk. */
const record = (patient: number) =>
  JSON.stringify({ patient, medication: 151, note: `penicillin-allergy-${patient}` });

/** Longest time that SNS reuses a data key, and queues by default. */
const dataKeySeconds = 300;

/** One record to three systems; nothing of it on disk. */
export async function proveDelivery(story: Story, clinic: Clinic, server: DemoServer) {
  story.chapter("A patient record to three systems");
  const sent = record(2911);
  await publish(clinic, sent);
  story.say("EMRUser publishes. The body is sealed on arrival, and again under each queue's key.");
  const stored = filesContaining(server.dataFolder, "penicillin-allergy-2911");
  story.proves("no byte of the record is found in the data folder", stored.length === 0);
  for (const queue of clinic.queues) {
    const bodies = await receiveAll(queue);
    story.shows(`${queue.name}: ${bodies.join(" ")}`);
    story.proves(`${queue.name} got its copy`, bodies.length === 1 && bodies[0] === sent);
  }
}

/** Who used the key, for whom and through what: from the audit, with a real client. */
export async function proveAudit(story: Story, clinic: Clinic, auditor: DemoClients) {
  story.chapter("Who used the key");
  const { Events = [] } = await auditor.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: clinic.keyArn }],
  });
  const lines = Events.map(({ CloudTrailEvent = "{}" }) => JSON.parse(CloudTrailEvent))
    .filter(({ eventName }) => /GenerateDataKey|Decrypt/.test(eventName))
    .map(auditLine)
    .reverse();
  story.say(
    "The audit (`aws cloudtrail lookup-events`) names every use, for whom and through what:",
  );
  story.shows(lines.join("\n"));
  story.proves(
    "publisher, delivery and each consumer are told apart",
    [
      "EMRUser",
      "sns.amazonaws.com",
      "BillingSystem",
      "SchedulingSystem",
      "PrescriptionSystem",
    ].every((who) => lines.some((line) => line.includes(` ${who} `))),
  );
}

interface AuditRecord {
  readonly eventName: string;
  readonly userIdentity: { readonly userName?: string; readonly invokedBy?: string };
  readonly requestParameters: { readonly encryptionContext?: Record<string, string> } | null;
  readonly errorCode?: string;
}

function auditLine({ eventName, userIdentity, requestParameters, errorCode }: AuditRecord): string {
  const who = userIdentity.userName ?? userIdentity.invokedBy ?? "?";
  const via = userIdentity.userName ? `through ${userIdentity.invokedBy ?? "no service"}` : "";
  const arn = Object.values(requestParameters?.encryptionContext ?? {})[0] ?? "";
  const place = arn.split(":").at(-1) ?? "";
  const outcome = errorCode ? `✖ ${errorCode}` : "✔";
  return `${outcome} ${eventName.padEnd(16)} ${who} ${via} for ${place}`.replace(/ {2}for/, " for");
}

/** The key is switched off and on again: nothing opens meanwhile, nothing is lost. */
export async function proveDisabledKey(story: Story, clinic: Clinic, server: DemoServer) {
  story.chapter("The key is disabled");
  await publish(clinic, record(2912));
  const { kms } = clinic.administrator;
  await kms.disableKey({ KeyId: clinic.keyArn });
  await server.advance(dataKeySeconds);
  story.say("Three copies wait in the queues. Five minutes later no cached data key is left.");
  const publishing = await refusalOf(publish(clinic, record(2913)));
  story.shows(`Publish: ${publishing?.name}`);
  story.proves(
    "publishing is refused with KMSDisabled",
    /KMSDisabled/.test(publishing?.name ?? ""),
  );
  const [first] = clinic.queues;
  if (!first) throw new Error("the clinic has no queue");
  const receiving = await refusalOf(receiveAll(first));
  story.shows(`ReceiveMessage: ${receiving?.name}`);
  story.proves("receiving is refused with KmsDisabled", /KmsDisabled/.test(receiving?.name ?? ""));
  await kms.enableKey({ KeyId: clinic.keyArn });
  story.say("EMRAdmin enables it again:");
  for (const queue of clinic.queues) {
    const bodies = await receiveAll(queue);
    story.proves(`${queue.name}: the backlog opens`, bodies.join() === record(2912));
  }
}

/** The publisher's right to the key is taken away. */
export async function provePublisherDenied(story: Story, clinic: Clinic, server: DemoServer) {
  story.chapter("EMRUser loses kms:GenerateDataKey");
  await putPolicy(clinic, keyPolicyWithoutGenerate(clinic.accountId));
  await server.advance(dataKeySeconds);
  const refused = await refusalOf(publish(clinic, record(2914)));
  story.shows(`${refused?.name}: ${refused?.message}`);
  story.proves(
    "publishing is refused, and the text names the missing right",
    /KMSAccessDenied/.test(refused?.name ?? "") &&
      /kms:GenerateDataKey/.test(refused?.message ?? ""),
  );
  await putPolicy(clinic, workingKeyPolicy(clinic.accountId));
}

/** The mistake that costs people days: the queue's key does not admit SNS. */
export async function proveDeliveryDenied(story: Story, clinic: Clinic, server: DemoServer) {
  story.chapter("The key policy loses sns.amazonaws.com");
  await putPolicy(clinic, keyPolicyWithoutSns(clinic.accountId));
  await server.advance(dataKeySeconds);
  await publish(clinic, record(2915));
  story.say("Publishing still works: EMRUser may use the key. But SNS may not, for the queues:");
  const lost = await server.undelivered(clinic.topicArn);
  const [first] = lost;
  story.shows(`${lost.length} undelivered: ${first?.failureCode}: ${first?.failureText}`);
  story.proves("every failed delivery is visible, with its true reason", lost.length === 3);
  await putPolicy(clinic, workingKeyPolicy(clinic.accountId));
  await server.advance(dataKeySeconds);
  await publish(clinic, record(2916));
  for (const queue of clinic.queues) {
    const bodies = await receiveAll(queue);
    story.proves(`${queue.name}: records arrive again`, bodies.includes(record(2916)));
  }
}

function publish(clinic: Clinic, message: string): Promise<unknown> {
  return clinic.publisher.sns.publish({
    TopicArn: clinic.topicArn,
    Subject: "Electronic Medical Record - 3472",
    Message: message,
  });
}

function putPolicy(clinic: Clinic, policy: string): Promise<unknown> {
  return clinic.administrator.kms.putKeyPolicy({ KeyId: clinic.keyArn, Policy: policy });
}

function filesContaining(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}
