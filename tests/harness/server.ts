import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { readSettings } from "../../src/cli/settings.ts";
import { startServer } from "../../src/main.ts";
import type { MovableClock } from "./movable-clock.ts";
import { type RawAnswer, sendRaw } from "./raw.ts";
import { type RawRequest, signedHeaders } from "./sign.ts";
import { storeOf } from "./store-choice.ts";
import { testThreads } from "./thread-choice.ts";

export interface TestCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The real SDK clients of one person. */
export interface TestClients {
  readonly sns: SNS;
  readonly sqs: SQS;
  readonly kms: KMS;
  readonly iam: IAM;
  readonly sts: STS;
  readonly cloudtrail: CloudTrail;
}

export interface TestServer {
  readonly httpsUrl: string;
  readonly httpUrl: string;
  /** Private endpoints, in the order of the setting. */
  readonly endpoints: readonly { readonly endpointId: string; readonly httpsUrl: string }[];
  readonly dataFolder: string;
  readonly accountId: string;
  readonly region: string;
  readonly ca: string;
  readonly root: TestCredentials;
  /** Clients of the root user over HTTPS. */
  readonly rootClients: TestClients;
  clients(credentials: TestCredentials, options?: ClientOptions): TestClients;
  /** A new IAM user with this inline policy (a document, or none). */
  createUser(name: string, policy?: object): Promise<TestUser>;
  /** Moves the service clock and waits for what became due. */
  advance(seconds: number): Promise<void>;
  /** A raw signed request; `unsigned` leaves the signature out. */
  send(request: RawTestRequest): Promise<RawAnswer>;
  /** Stops and starts again on the same data folder (and another port). */
  restart(between?: (dataFolder: string) => void): Promise<TestServer>;
  /** Stops and leaves the data folder. */
  halt(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly region?: string;
  /** Use the plain HTTP address. */
  readonly plainHttp?: boolean;
  /** Another address of the server: that of a private endpoint. */
  readonly endpoint?: string;
}

export interface TestUser extends TestCredentials {
  readonly arn: string;
  readonly userId: string;
  readonly clients: TestClients;
}

export type RawTestRequest = Partial<Omit<RawRequest, "url">> & {
  readonly service: string;
  readonly path?: string;
  readonly plainHttp?: boolean;
  readonly unsigned?: boolean;
};

export interface TestServerOptions {
  /** Flags of `serve` by their setting name: `{ allowInsecureSse: true }`. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** An existing data folder; it is kept at the stop. */
  readonly dataFolder?: string;
  /** System time, for the server and for clients made after a move. Absent: the machine's. */
  readonly systemClock?: MovableClock;
}

/**
 * A whole server on a free port with a data folder of its own and a virtual clock, in this process
 * (its store thread and key process are real). Stop it with `await server.stop()`.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), "sealpost-test-"));
  const settings = readSettings({
    flags: {
      data: dataFolder,
      port: 0,
      clock: "virtual",
      logLevel: "error",
      ...(await storeOf(dataFolder)),
      ...threadsFor(options),
      ...options.flags,
    },
    environment: options.environment ?? {},
    fileText: undefined,
    workingDirectory: dataFolder,
  });
  const { systemClock } = options;
  const keepAlive = settings.threads === 1;
  const running = await startServer(settings, {
    ...(systemClock && { systemClockOf: systemClock.clockOf }),
  });
  const ca = readFileSync(join(dataFolder, "ca.pem"), "utf8");
  const root = readCredentialsFile(dataFolder);
  if (!root) throw new Error("the server wrote no credentials");
  const agents: Agent[] = [];
  const { httpsUrl, httpUrl = "" } = running;
  const region = "us-east-1";

  const clients = (credentials: TestCredentials, how: ClientOptions = {}): TestClients => {
    const httpsAgent = new Agent({ ca, keepAlive, maxSockets: 50 });
    agents.push(httpsAgent);
    const settings = {
      endpoint: how.endpoint ?? (how.plainHttp ? httpUrl : httpsUrl),
      region: how.region ?? region,
      credentials,
      maxAttempts: 1,
      systemClockOffset: systemClock?.offsetMs ?? 0,
      requestHandler: new NodeHttpHandler({ httpsAgent }),
    };
    return {
      sns: new SNS(settings),
      sqs: new SQS(settings),
      kms: new KMS(settings),
      iam: new IAM(settings),
      sts: new STS(settings),
      cloudtrail: new CloudTrail(settings),
    };
  };
  const rootClients = clients(root);
  const send = (request: RawTestRequest): Promise<RawAnswer> => {
    const base = request.plainHttp ? httpUrl : httpsUrl;
    const url = base + (request.path ?? "/");
    const date = new Date(Date.now() + (systemClock?.offsetMs ?? 0));
    const full = { method: "POST", region, date, ...root, ...request, url };
    const headers = request.unsigned ? (request.headers ?? {}) : signedHeaders(full);
    return sendRaw({ url, method: full.method, headers, body: request.body ?? "", ca });
  };
  const close = async () => {
    for (const agent of agents) agent.destroy();
    await running.stop();
  };
  const server: TestServer = {
    httpsUrl,
    httpUrl,
    endpoints: running.endpoints,
    dataFolder,
    accountId: settings.account,
    region,
    ca,
    root,
    rootClients,
    clients,
    send,
    createUser: (name, policy) => createUser(rootClients, clients, name, policy),
    async advance(advanceSeconds) {
      const answer = await send({
        service: "sealpost",
        path: "/_sealpost/clock",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ advanceSeconds }),
      });
      if (answer.status !== 200) throw new Error(`clock: ${answer.status} ${answer.body}`);
    },
    async restart(between) {
      await close();
      between?.(dataFolder);
      return startTestServer({ ...options, dataFolder });
    },
    halt: close,
    async stop() {
      await close();
      if (!options.dataFolder) rmSync(dataFolder, { recursive: true, force: true });
    },
  };
  return server;
}

/** A movable system clock lies in this thread: further ones would not see it. */
function threadsFor({ systemClock }: TestServerOptions): { readonly threads?: number } {
  return systemClock || testThreads === 1 ? {} : { threads: testThreads };
}

async function createUser(
  root: TestClients,
  clients: TestServer["clients"],
  name: string,
  policy: object | undefined,
): Promise<TestUser> {
  const { User } = await root.iam.createUser({ UserName: name });
  if (policy) {
    const PolicyDocument = JSON.stringify(policy);
    await root.iam.putUserPolicy({ UserName: name, PolicyName: "test", PolicyDocument });
  }
  const { AccessKey } = await root.iam.createAccessKey({ UserName: name });
  const credentials = {
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  };
  return {
    ...credentials,
    arn: User?.Arn ?? "",
    userId: User?.UserId ?? "",
    clients: clients(credentials),
  };
}

/** What an SDK call was refused with; undefined if it was not. */
export async function refusal(call: Promise<unknown>): Promise<SdkRefusal | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const { name, message, $metadata } = error as SdkRefusal & { $metadata?: Metadata };
    if (!$metadata) throw error;
    return { name, message, status: $metadata.httpStatusCode ?? 0 };
  }
}

interface Metadata {
  readonly httpStatusCode?: number;
}

export interface SdkRefusal {
  readonly name: string;
  readonly message: string;
  readonly status: number;
}
