import type { Target } from "./measure.ts";
import { sns, sqs, type Work } from "./requests.ts";
import type { BenchServer } from "./server.ts";
import type { Resources } from "./setup.ts";

export const messageBody = "x".repeat(1024);

/** What the server is asked to do, over HTTPS, with resources of one kind of encryption. */
export function workloads(server: BenchServer, label: string, resources: Resources): Target[] {
  const entries = Array.from({ length: 10 }, (_, i) => ({
    Id: String(i),
    MessageBody: messageBody,
  }));
  const sendTo = (url: string): Work => ({
    kind: "fixed",
    request: sqs("SendMessageBatch", { QueueUrl: url, Entries: entries }),
    messagesEach: 10,
  });
  const send = sqs("SendMessage", { QueueUrl: resources.queueUrl, MessageBody: messageBody });
  const publish = sns({
    Action: "Publish",
    TopicArn: resources.topicArn,
    Message: messageBody,
  });
  const target = (name: string, work: Work, fill?: Work): Target => ({
    name: `${name}, ${label}`,
    pid: server.pid,
    port: Number(new URL(server.httpsUrl).port),
    ca: server.ca,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
    work,
    fill,
  });
  const { drainUrl } = resources;
  return [
    target("SendMessage", { kind: "fixed", request: send, messagesEach: 1 }),
    target("SendMessageBatch of 10", sendTo(resources.queueUrl)),
    target("Receive 10 + DeleteBatch", { kind: "drain", queueUrl: drainUrl }, sendTo(drainUrl)),
    target("Publish to 3 queues", { kind: "fixed", request: publish, messagesEach: 1 }),
  ];
}
