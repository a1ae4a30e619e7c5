import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createClients, refusalOf } from "../../src/cli/demo/clients.ts";
import { type Clinic, receiveAll, setUpClinic } from "../../src/cli/demo/scenario.ts";
import { createStory } from "../../src/cli/demo/story.ts";
import type { Hop, Missing } from "../../src/doctor/hop.ts";
import type { Path } from "../../src/doctor/path.ts";
import { run } from "../cli/support.ts";
import { startTestServer, type TestClients, type TestServer } from "../harness/server.ts";

/** What `sealpost doctor` said and how it ended. */
export interface DoctorRun<A> {
  readonly code: number;
  readonly answer: A;
  readonly err: string;
}

/** Runs the real command against a running server. */
export async function doctor<A>(server: TestServer, ...argv: string[]): Promise<DoctorRun<A>> {
  const all = ["doctor", ...argv, "--data", server.dataFolder, "--format", "json"];
  const options = { workingDirectory: server.dataFolder, io: { now: () => Date.now() } };
  const { code, out, err } = await run(all, options);
  return { code, answer: out === "" ? (undefined as A) : (JSON.parse(out) as A), err };
}

export async function doctorText(server: TestServer, ...argv: string[]): Promise<string> {
  const all = ["doctor", ...argv, "--data", server.dataFolder];
  const options = { workingDirectory: server.dataFolder, io: { now: () => Date.now() } };
  return (await run(all, options)).out;
}

/** The hops of a path, with the exit code checked against them. */
export async function path(server: TestServer, topicArn: string, ...more: string[]): Promise<Path> {
  const { code, answer, err } = await doctor<Path>(server, "path", "--topic", topicArn, ...more);
  assert.ok(answer, err);
  assert.equal(code, answer.allowed ? 0 : 1);
  assert.equal(
    answer.allowed,
    answer.hops.every(({ allowed }) => allowed),
  );
  for (const hop of answer.hops) checkForm(hop);
  return answer;
}

/** The contract: these members and no others. */
function checkForm(hop: Hop): void {
  const members = ["from", "to", "action", "resource", "allowed", "reason", "statements"];
  const { missing, ...rest } = hop;
  assert.deepEqual(Object.keys(rest), members);
  if (hop.allowed) assert.equal(missing, undefined);
  if (missing) assert.deepEqual(Object.keys(missing), ["attachTo", "statement"]);
}

export const denied = ({ hops }: Path): readonly Hop[] => hops.filter(({ allowed }) => !allowed);

/** The clinic of the demo, on a server with a clock that moves. */
export interface ClinicScene {
  readonly server: TestServer;
  readonly clinic: Clinic;
  readonly root: TestClients;
  /** Publishes as the EMR user and receives as each system, with no data key left in a cache. */
  try(): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Names of what failed: `publish`, or the queue that got nothing; [] if all went well. */
export type Outcome = readonly string[];

export async function clinicScene(): Promise<ClinicScene> {
  const server = await startTestServer();
  const target = { endpoint: server.httpsUrl, ca: server.ca, region: server.region };
  const story = createStory(() => {}, false);
  const clinic = await setUpClinic(story, target, await createClients(target, server.root));
  let messages = 0;
  return {
    server,
    clinic,
    root: server.rootClients,
    async try() {
      await server.advance(301);
      const text = `record ${messages++}`;
      const { sns } = clinic.publisher;
      const refused = await refusalOf(sns.publish({ TopicArn: clinic.topicArn, Message: text }));
      if (refused) return ["publish"];
      const failed: string[] = [];
      for (const queue of clinic.queues) {
        const bodies: string[] = [];
        const no = await refusalOf(receiveAll(queue).then((found) => void bodies.push(...found)));
        if (no || !bodies.includes(text)) failed.push(queue.name);
        // What one failure leaves behind is not the next one's.
        await server.rootClients.sqs.purgeQueue({ QueueUrl: queue.url }).catch(() => {});
      }
      return failed;
    },
    async stop() {
      await server.stop();
      rmSync(server.dataFolder, { recursive: true, force: true });
    },
  };
}

/** Does with a missing statement what doctor says: appends it to the policy that it names. */
export async function paste(
  root: Pick<TestClients, "iam" | "kms" | "sns" | "sqs">,
  { attachTo, statement }: Missing,
): Promise<void> {
  const [, kind = "", arn = ""] = /^(\w+) policy of (.+)$/.exec(attachTo) ?? [];
  const region = arn.split(":")[3];
  const with1 = (text: string | undefined) => {
    const document = text ? JSON.parse(text) : { Version: "2012-10-17", Statement: [] };
    const list = [document.Statement].flat();
    return JSON.stringify({ ...document, Statement: [...list, statement] });
  };
  if (kind === "identity") {
    const UserName = arn.slice(arn.lastIndexOf("/") + 1);
    const PolicyName = `pasted-${Math.abs(JSON.stringify(statement).length)}-${pastes++}`;
    await root.iam.putUserPolicy({ UserName, PolicyName, PolicyDocument: with1(undefined) });
  } else if (kind === "key") {
    const { Policy } = await root.kms.getKeyPolicy({ KeyId: arn });
    await root.kms.putKeyPolicy({ KeyId: arn, Policy: with1(Policy) });
  } else if (kind === "queue") {
    const QueueUrl = `https://host/${arn.split(":")[4]}/${arn.split(":")[5]}`;
    const AttributeNames = ["Policy"] as const;
    const now = await root.sqs.getQueueAttributes({
      QueueUrl,
      AttributeNames: [...AttributeNames],
    });
    const Attributes = { Policy: with1(now.Attributes?.Policy) };
    await root.sqs.setQueueAttributes({ QueueUrl, Attributes });
  } else if (kind === "topic") {
    const { Attributes } = await root.sns.getTopicAttributes({ TopicArn: arn });
    const AttributeValue = with1(Attributes?.Policy);
    await root.sns.setTopicAttributes({ TopicArn: arn, AttributeName: "Policy", AttributeValue });
  } else assert.fail(`no idea how to attach to ${attachTo} in ${region}`);
}

let pastes = 0;
