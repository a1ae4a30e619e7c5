import { Agent } from "node:https";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { startTestServer, type TestCredentials, type TestServer } from "../harness/server.ts";

/** Clients whose one connection is served by one and the same thread. */
export interface ThreadClients {
  readonly sns: SNS;
  readonly sqs: SQS;
  readonly kms: KMS;
  readonly iam: IAM;
}

export interface TwoThreads {
  readonly server: TestServer;
  /** Clients of this person on each of the two threads. */
  both(credentials?: TestCredentials): Promise<readonly [ThreadClients, ThreadClients]>;
  /** Value of a metric of the whole server; 0 if there is none. */
  metric(line: string): Promise<number>;
  stop(): Promise<void>;
}

export async function twoThreads(): Promise<TwoThreads> {
  const server = await startTestServer({ flags: { threads: 2 } });
  const agents: Agent[] = [];
  const metrics = async () => {
    const request = { service: "sealpost", method: "GET", path: "/_sealpost/metrics" };
    return (await server.send(request)).body;
  };
  const metric = async (line: string) => valueIn(await metrics(), line);

  function connect(credentials: TestCredentials): ThreadClients {
    const httpsAgent = new Agent({ ca: server.ca, keepAlive: true, maxSockets: 1 });
    agents.push(httpsAgent);
    const settings = {
      endpoint: server.httpsUrl,
      region: server.region,
      credentials,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ httpsAgent }),
    };
    return {
      sns: new SNS(settings),
      sqs: new SQS(settings),
      kms: new KMS(settings),
      iam: new IAM(settings),
    };
  }

  /** The system chooses the thread of a connection: connect until each has one. */
  async function both(credentials: TestCredentials = server.root) {
    const found = new Map<number, ThreadClients>();
    while (found.size < 2) {
      const clients = connect(credentials);
      const before = await metrics();
      await clients.sqs.listQueues({}).catch(() => {});
      const after = await metrics();
      const thread = [1, 2].find((n) => answeredBy(after, n) > answeredBy(before, n));
      if (thread === undefined) throw new Error("no thread has answered");
      found.set(thread, clients);
    }
    return [found.get(1), found.get(2)] as unknown as readonly [ThreadClients, ThreadClients];
  }
  async function stop() {
    for (const agent of agents) agent.destroy();
    await server.stop();
  }
  return { server, both, metric, stop };
}

function answeredBy(text: string, thread: number): number {
  return valueIn(text, `sealpost_thread_requests_total{thread="${thread}"}`);
}

function valueIn(text: string, line: string): number {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}
