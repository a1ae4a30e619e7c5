import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { QueueAttributeName } from "@aws-sdk/client-sqs";
import { startTestServer, type TestServer, type TestServerOptions } from "../harness/server.ts";

/** What the tests of encryption need at hand, over the real SDK clients of one server. */
export interface Scene {
  /** The server of now: `restart` puts another one in its place. */
  server: TestServer;
  readonly accountId: string;
  readonly region: string;
  /** A key whose policy is these statements (default: delegation to the account), with an alias. */
  key(name: string, ...statements: readonly Statement[]): Promise<SceneKey>;
  setKeyPolicy(key: SceneKey, ...statements: readonly Statement[]): Promise<void>;
  queue(name: string, attributes?: QueueAttributes): Promise<SceneQueue>;
  setQueue(queue: SceneQueue, attributes: QueueAttributes): Promise<void>;
  /** ARN of a new topic. */
  topic(name: string, attributes?: Record<string, string>): Promise<string>;
  /** Subscribes raw and lets the topic send to the queue. */
  subscribe(topicArn: string, queue: SceneQueue, options?: SubscribeOptions): Promise<string>;
  /** A user with an identity policy of these statements. */
  user(name: string, ...statements: readonly Statement[]): ReturnType<TestServer["createUser"]>;
  /** Audit records of this account and region, oldest first. */
  events(filter?: EventFilter): Promise<readonly AuditRecord[]>;
  undelivered(): Promise<readonly Undelivered[]>;
  /** Stops, lets `between` work on the data folder, and starts again. */
  restart(between?: (dataFolder: string) => void): Promise<void>;
  stop(): Promise<void>;
}

export type QueueAttributes = Partial<Record<QueueAttributeName, string>>;

export interface Statement {
  readonly Effect?: "Allow" | "Deny";
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource?: string;
  readonly Condition?: object;
}

export interface SceneKey {
  readonly id: string;
  readonly arn: string;
  readonly alias: string;
}

export interface SceneQueue {
  readonly url: string;
  readonly arn: string;
}

export interface SubscribeOptions {
  /** Leave the queue's policy alone. */
  readonly withoutPolicy?: boolean;
  readonly enveloped?: boolean;
}

export interface EventFilter {
  readonly name?: string;
  /** Value of any pair of the encryption context. */
  readonly contextArn?: string;
  readonly user?: string;
}

export interface AuditRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly readOnly: boolean;
  readonly userIdentity: Readonly<Record<string, string>>;
  readonly requestParameters: {
    readonly encryptionContext?: Readonly<Record<string, string>>;
    readonly [name: string]: unknown;
  } | null;
  readonly resources?: readonly { readonly ARN: string; readonly type: string }[];
}

export interface Undelivered {
  readonly topicArn: string;
  readonly subscriptionArn: string;
  readonly messageId: string;
  readonly nextAttemptAt: string | null;
  readonly failureCode: string;
  readonly failureText: string;
}

export async function newScene(options: TestServerOptions = {}): Promise<Scene> {
  const first = await startTestServer(options);
  const { accountId, region } = first;
  const root = () => scene.server.rootClients;
  const delegation = delegateTo(accountId);
  const scene: Scene = {
    server: first,
    accountId,
    region,
    async key(name, ...statements) {
      const made = await root().kms.createKey({
        Policy: document(statements.length > 0 ? statements : [delegation], "*"),
        BypassPolicyLockoutSafetyCheck: true,
      });
      const { KeyId: id = "", Arn: arn = "" } = made.KeyMetadata ?? {};
      const alias = `alias/${name}`;
      await root().kms.createAlias({ AliasName: alias, TargetKeyId: id });
      return { id, arn, alias };
    },
    async setKeyPolicy({ id }, ...statements) {
      await root().kms.putKeyPolicy({ KeyId: id, Policy: document(statements, "*") });
    },
    async queue(QueueName, Attributes) {
      const { QueueUrl: url = "" } = await root().sqs.createQueue({ QueueName, Attributes });
      return { url, arn: `arn:aws:sqs:${region}:${accountId}:${QueueName}` };
    },
    async setQueue({ url }, Attributes) {
      await root().sqs.setQueueAttributes({ QueueUrl: path(url), Attributes });
    },
    async topic(Name, Attributes) {
      const { TopicArn = "" } = await root().sns.createTopic({ Name, Attributes });
      return TopicArn;
    },
    async subscribe(TopicArn, queue, { withoutPolicy = false, enveloped = false } = {}) {
      if (!withoutPolicy) await scene.setQueue(queue, { Policy: topicMaySend(TopicArn, queue) });
      const { SubscriptionArn = "" } = await root().sns.subscribe({
        TopicArn,
        Protocol: "sqs",
        Endpoint: queue.arn,
        ReturnSubscriptionArn: true,
        Attributes: { RawMessageDelivery: String(!enveloped) },
      });
      return SubscriptionArn;
    },
    user(name, ...statements) {
      const policy = { Version: "2012-10-17", Statement: statements.map(withDefaults("*")) };
      return scene.server.createUser(name, statements.length > 0 ? policy : undefined);
    },
    events: (filter) => auditOf(scene.server, filter),
    undelivered: () => undeliveredOf(scene.server),
    async restart(between) {
      scene.server = await scene.server.restart(between);
    },
    async stop() {
      await scene.server.stop();
      rmSync(scene.server.dataFolder, { recursive: true, force: true });
    },
  };
  return scene;
}

/** The statement of a key's default policy: IAM policies of the account decide. */
export function delegateTo(accountId: string): Statement {
  return { Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "kms:*" };
}

export function snsMayUseKey(Condition?: object): Statement {
  const Action = ["kms:GenerateDataKey*", "kms:Decrypt"];
  const statement = { Principal: { Service: "sns.amazonaws.com" }, Action };
  return Condition ? { ...statement, Condition } : statement;
}

/** Queue policy: this topic may send here. */
export function topicMaySend(topicArn: string, { arn }: SceneQueue): string {
  const Condition = { ArnEquals: { "aws:SourceArn": topicArn } };
  const Principal = { Service: "sns.amazonaws.com" };
  return document([{ Principal, Action: "sqs:SendMessage", Condition }], arn);
}

export function document(statements: readonly Statement[], resource: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(withDefaults(resource)),
  });
}

const withDefaults = (resource: string) => (statement: Statement) => ({
  Effect: "Allow",
  Resource: resource,
  ...statement,
});

/** A queue's URL that survives a restart on another port. */
export function path(url: string): string {
  return new URL(url).pathname;
}

async function auditOf(
  { rootClients }: TestServer,
  { name, contextArn, user }: EventFilter = {},
): Promise<readonly AuditRecord[]> {
  const found: AuditRecord[] = [];
  let NextToken: string | undefined;
  do {
    const page = await rootClients.cloudtrail.lookupEvents({
      NextToken,
      ...(name && { LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: name }] }),
    });
    for (const { CloudTrailEvent = "" } of page.Events ?? []) {
      found.push(JSON.parse(CloudTrailEvent) as AuditRecord);
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found.reverse().filter(({ requestParameters, userIdentity }) => {
    const context = Object.values(requestParameters?.encryptionContext ?? {});
    if (contextArn !== undefined && !context.includes(contextArn)) return false;
    return user === undefined || userIdentity.userName === user;
  });
}

async function undeliveredOf(server: TestServer): Promise<readonly Undelivered[]> {
  const answer = await server.send({
    service: "sealpost",
    method: "GET",
    path: "/_sealpost/undelivered",
  });
  assert.equal(answer.status, 200, answer.body);
  return (JSON.parse(answer.body) as { notifications: readonly Undelivered[] }).notifications;
}

/** The suffix by which SNS and SQS pass on what KMS said. */
export function asToldByKms(text: string | RegExp, code: string): RegExp {
  const told =
    typeof text === "string" ? text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&") : text.source;
  return new RegExp(
    `^${told} \\(Service: AWSKMS; Status Code: 400; Error Code: ${code}; ` +
      "Request ID: [0-9a-f-]{36}; Proxy: null\\)$",
  );
}

/** Names and texts of refused calls side by side with what was expected. */
export async function refuses(
  call: Promise<unknown>,
  name: string,
  text?: RegExp,
  status = 400,
): Promise<void> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error, `expected ${name}, but the call went through`);
  const { $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  assert.equal(error.name, name, error.message);
  if (text) assert.match(error.message, text);
  assert.equal($metadata?.httpStatusCode, status, error.message);
}

/** Bodies that one receive of up to ten gives, with their receive counts; visible again at once. */
export async function received(
  { sqs }: Pick<TestServer["rootClients"], "sqs">,
  queue: SceneQueue,
  VisibilityTimeout = 0,
): Promise<readonly (readonly [string, string])[]> {
  const { Messages = [] } = await sqs.receiveMessage({
    QueueUrl: path(queue.url),
    MaxNumberOfMessages: 10,
    VisibilityTimeout,
    MessageSystemAttributeNames: ["All"],
  });
  const each = Messages.map(
    ({ Body = "", Attributes }) => [Body, Attributes?.ApproximateReceiveCount ?? ""] as const,
  );
  return each.sort(([a], [b]) => (a < b ? -1 : 1));
}

export async function bodies(
  clients: Pick<TestServer["rootClients"], "sqs">,
  queue: SceneQueue,
): Promise<readonly string[]> {
  return (await received(clients, queue)).map(([body]) => body);
}
