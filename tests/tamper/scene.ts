import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { withDatabase } from "../encryption/database.ts";
import {
  delegateTo,
  newScene,
  type SceneKey,
  type SceneQueue,
  snsMayUseKey,
} from "../encryption/scene.ts";
import { startTestServer, type TestCredentials, type TestServer } from "../harness/server.ts";

/** A stopped installation with something of everything, to be copied, edited and started. */
export interface Installation {
  readonly dataFolder: string;
  readonly accountId: string;
  readonly victimKey: SceneKey;
  readonly otherKey: SceneKey;
  /** Encrypted with the victim's key; holds `v1` and `v2`. */
  readonly victim: SceneQueue;
  /** Encrypted with the other key; holds `o1`. */
  readonly other: SceneQueue;
  /** SSE-SQS; holds `p1` and `p2`. */
  readonly plain: SceneQueue;
  readonly topic: string;
  readonly otherTopic: string;
  /** To a queue that refuses: one notification `u1` was given up there. */
  readonly refusing: { readonly queue: SceneQueue; readonly subscription: string };
  /** Of the same topic, subscribed after that, and of another topic. */
  readonly late: { readonly queue: SceneQueue; readonly subscription: string };
  readonly elsewhere: { readonly queue: SceneQueue; readonly subscription: string };
  /** May list queues only. */
  readonly poor: TestCredentials;
  /** The poor user's second access key, inactive. */
  readonly inactive: TestCredentials;
  remove(): void;
}

export async function newInstallation(): Promise<Installation> {
  const scene = await newScene();
  const { accountId } = scene;
  const { sqs, sns, iam } = scene.server.rootClients;
  const keyOf = (name: string) => scene.key(name, delegateTo(accountId), snsMayUseKey());
  const victimKey = await keyOf("victim");
  const otherKey = await keyOf("other");
  const victim = await scene.queue("victim", { KmsMasterKeyId: victimKey.alias });
  const other = await scene.queue("other", { KmsMasterKeyId: otherKey.alias });
  const plain = await scene.queue("plain");
  for (const [queue, MessageBody] of [
    [victim, "v1"],
    [victim, "v2"],
    [other, "o1"],
    [plain, "p1"],
    [plain, "p2"],
  ] as const) {
    await sqs.sendMessage({ QueueUrl: queue.url, MessageBody });
  }
  const subscribed = async (topic: string, name: string, withoutPolicy = false) => {
    const queue = await scene.queue(name);
    return { queue, subscription: await scene.subscribe(topic, queue, { withoutPolicy }) };
  };
  const topic = await scene.topic("topic", { KmsMasterKeyId: victimKey.alias });
  const otherTopic = await scene.topic("other-topic", { KmsMasterKeyId: victimKey.alias });
  const refusing = await subscribed(topic, "refusing", true);
  await sns.publish({ TopicArn: topic, Message: "u1" });
  // From now on it would be let in: what was given up could be delivered if it were tried again.
  await scene.subscribe(topic, refusing.queue);
  const late = await subscribed(topic, "late");
  const elsewhere = await subscribed(otherTopic, "elsewhere");
  const poor = await scene.user("poor", { Action: "sqs:ListQueues" });
  const { AccessKey } = await iam.createAccessKey({ UserName: "poor" });
  const inactive = {
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  };
  const status = {
    UserName: "poor",
    AccessKeyId: inactive.accessKeyId,
    Status: "Inactive" as const,
  };
  await iam.updateAccessKey(status);
  const { dataFolder } = scene.server;
  await scene.server.halt();
  return {
    dataFolder,
    accountId,
    victimKey,
    otherKey,
    victim,
    other,
    plain,
    topic,
    otherTopic,
    refusing,
    late,
    elsewhere,
    poor,
    inactive,
    remove: () => rmSync(dataFolder, { recursive: true, force: true }),
  };
}

/** Starts a copy whose database was edited, as anyone could with the `sqlite3` tool. */
export async function tampered<T>(
  installation: Installation,
  edit: (database: DatabaseSync) => unknown,
  act: (server: TestServer) => Promise<T>,
): Promise<T> {
  const dataFolder = mkdtempSync(join(tmpdir(), "sealpost-tamper-"));
  try {
    cpSync(installation.dataFolder, dataFolder, { recursive: true });
    withDatabase(dataFolder, (database) => {
      database.exec("PRAGMA foreign_keys = OFF");
      edit(database);
    });
    const server = await startTestServer({ dataFolder });
    try {
      return await act(server);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}
