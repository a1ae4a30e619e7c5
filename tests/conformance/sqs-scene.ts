import assert from "node:assert/strict";
import {
  CreateQueueCommand,
  type QueueAttributeName,
  type SQSClient,
  SQSServiceException,
} from "@aws-sdk/client-sqs";
import { startTestServer, type TestClients, type TestServer } from "../harness/server.ts";

/** A server for one file of tests, with what most of them need at hand. */
export interface SqsScene extends Pick<TestClients, "sqs" | "kms"> {
  readonly server: TestServer;
  readonly region: string;
  readonly accountId: string;
  /** Unique id of the root user, whose clients these are. */
  readonly principalId: string;
  /** Over plain HTTP. */
  readonly plainSqs: SQSClient;
  stop(): Promise<void>;
}

export async function sqsScene(): Promise<SqsScene> {
  const server = await startTestServer();
  const { region, accountId, root, rootClients } = server;
  return {
    server,
    region,
    accountId,
    principalId: accountId,
    sqs: rootClients.sqs,
    kms: rootClients.kms,
    plainSqs: server.clients(root, { plainHttp: true }).sqs,
    stop: () => server.stop(),
  };
}

export const advance = (scene: SqsScene, seconds: number) => scene.server.advance(seconds);

export async function createQueue(
  client: SQSClient,
  QueueName: string,
  Attributes?: Partial<Record<QueueAttributeName, string>>,
): Promise<string> {
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  assert.ok(QueueUrl);
  return QueueUrl;
}

/** A user with an identity policy of these Allow statements. */
export async function userOf(
  scene: SqsScene,
  name: string,
  statements: readonly { readonly Action: string; readonly Resource: string }[],
): Promise<{ readonly arn: string; readonly sqs: SQSClient }> {
  const Statement = statements.map((statement) => ({ Effect: "Allow", ...statement }));
  const policy = { Version: "2012-10-17", Statement };
  const user = await scene.server.createUser(name, Statement.length > 0 ? policy : undefined);
  return { arn: user.arn, sqs: user.clients.sqs };
}

export interface ErrorFacts {
  /** Default: that of the error in AWS's model. */
  readonly status?: number;
  /** Code of the query protocol, which JSON answers carry in a header. */
  readonly query?: string;
}

/** AWS: statuses other than 400 (sqs.md 2.3). */
const statuses: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  InvalidSecurity: 403,
  OverLimit: 403,
  PurgeQueueInProgress: 403,
  ReceiptHandleIsInvalid: 404,
};

/** A check for `assert.rejects`: what the SDK makes of an error answer. */
export function awsError(name: string, message?: string | RegExp, facts: ErrorFacts = {}) {
  return (error: unknown): true => {
    assert.ok(error instanceof SQSServiceException, String(error));
    assert.equal(error.name, name, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    else if (message) assert.match(error.message, message);
    assert.equal(error.$metadata.httpStatusCode, facts.status ?? statuses[name] ?? 400);
    const { Code } = error as SQSServiceException & { readonly Code?: string };
    if (facts.query !== undefined) assert.equal(Code, facts.query);
    return true;
  };
}

/** A signed form in the query protocol. */
export async function queryCall(
  { server }: SqsScene,
  parameters: Readonly<Record<string, string>>,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const body = new URLSearchParams({ Version: "2012-11-05", ...parameters }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const answer = await server.send({ service: "sqs", path, headers, body });
  return { status: answer.status, text: answer.body };
}
