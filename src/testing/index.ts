/** `sealpost/testing`: a server for a test, in a process of its own, gone when the test is over. */
import { readFileSync } from "node:fs";
import tls from "node:tls";
import { askServer } from "../cli/admin-client.ts";
import { parseDurationSeconds } from "../cli/duration.ts";
import { clientEnvironment } from "../cli/env.ts";
import { processIo } from "../cli/io.ts";
import { findCredentials, findServer } from "../cli/running-server.ts";
import { launchServer } from "./launch.ts";

export interface SealpostOptions {
  /** Time that the test moves (default), or the machine's. */
  readonly clock?: "virtual" | "system";
  /** Region of `env`; requests may name any. Default `us-east-1`. */
  readonly region?: string;
  /** Twelve digits. Default `123456789012`. */
  readonly accountId?: string;
  /** Further flags of `sealpost serve` by their setting name: `{ allowInsecureSse: true }`. */
  readonly flags?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface SealpostCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SealpostClock {
  /**
   * Moves the service's time by `300` seconds, `"5m"`, `"2h"` or `"90d"` and runs what became due;
   * resolves to the time then. Rejects if the server keeps the machine's time.
   */
  advance(duration: number | string): Promise<Date>;
  now(): Promise<Date>;
}

/** A notification that did not reach its queue, and why. */
export interface UndeliveredNotification {
  readonly topicArn: string;
  readonly subscriptionArn: string;
  readonly messageId: string;
  readonly publishedAt: string;
  readonly attempts: number;
  /** null: no further attempt will be made. */
  readonly nextAttemptAt: string | null;
  readonly failureCode: string;
  readonly failureText: string;
}

/** One authorised step of a message. */
export interface MessageHop {
  readonly from: string;
  readonly to: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  /** Why, in words. */
  readonly reason: string;
  /** The smallest statement that allows it, and the policy to put it into. */
  readonly missing?: { readonly attachTo: string; readonly statement: object };
}

/** What `sealpost doctor path` tells. */
export interface MessagePath {
  /** Every hop is allowed. */
  readonly allowed: boolean;
  readonly hops: readonly MessageHop[];
}

export interface DoctorQuestion {
  /** ARN of the topic. */
  readonly topic: string;
  /** ARNs of a publisher and a consumer; absent: everybody who may. */
  readonly publisher?: string;
  readonly consumer?: string;
}

/** A running server. `await using` stops it at the end of the block. */
export interface Sealpost extends AsyncDisposable {
  /** HTTPS address: the `endpoint` of AWS clients. */
  readonly endpoint: string;
  /** The same port in clear; topics and queues with SSE-KMS refuse it, as in AWS. */
  readonly httpEndpoint: string;
  /** Path of the certificate to trust. */
  readonly caFile: string;
  /** The certificate itself (PEM), for `new https.Agent({ ca })`. */
  readonly ca: string;
  /** Of the root user. */
  readonly credentials: SealpostCredentials;
  readonly region: string;
  readonly accountId: string;
  /** What `sealpost env` sets, for processes that the test starts. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: SealpostClock;
  /** The newest notifications that did not reach their queue, with the true reason. */
  undelivered(): Promise<readonly UndeliveredNotification[]>;
  /** Asks the server's own policy engine about every hop from publisher to consumers. */
  doctor(question: DoctorQuestion): Promise<MessagePath>;
  /** Lets TLS connections of this process that are made from now on trust the server. */
  trust(): void;
  /** Resolves once the server and its data are gone. */
  stop(): Promise<void>;
}

/** Starts a server on a free port with a folder of its own. Rejects with the reason if it cannot. */
export async function startSealpost(options: SealpostOptions = {}): Promise<Sealpost> {
  const { flags = {}, accountId: account, ...settings } = options;
  const launched = await launchServer({ ...flags, ...settings, ...(account && { account }) });
  try {
    return describe(launched.folder, () => launched.stop());
  } catch (error) {
    await launched.stop();
    throw error;
  }
}

function describe(folder: string, stop: () => Promise<void>): Sealpost {
  const io = processIo();
  const server = findServer(folder, io);
  const credentials = findCredentials(folder, io);
  const { httpsUrl, httpUrl, caFile, region, accountId } = server;
  if (caFile === null || httpUrl === null) {
    throw new Error("a test server keeps its own certificate and both schemes");
  }
  const ca = readFileSync(caFile, "utf8");
  const ask = (request: Parameters<typeof askServer>[2]) =>
    askServer(server, credentials, request, io.now());
  const time = async (request: Parameters<typeof askServer>[2]) => {
    const { now } = (await ask(request)) as { readonly now: string };
    return new Date(now);
  };
  return {
    endpoint: httpsUrl,
    httpEndpoint: httpUrl,
    caFile,
    ca,
    credentials,
    region,
    accountId,
    env: {
      ...clientEnvironment({ folder, services: false }, io).set,
      SEALPOST_DATA: folder,
    },
    clock: {
      advance(duration) {
        const body = { advanceSeconds: parseDurationSeconds(String(duration)) };
        return time({ method: "POST", path: "/_sealpost/clock", body });
      },
      now: () => time({ method: "GET", path: "/_sealpost/clock" }),
    },
    async undelivered() {
      const answer = await ask({ method: "GET", path: "/_sealpost/undelivered" });
      const { notifications } = answer as unknown as {
        readonly notifications: readonly UndeliveredNotification[];
      };
      return notifications;
    },
    async doctor({ topic, publisher, consumer }) {
      const query = { topic, publisher, consumer };
      const answer = await ask({ method: "GET", path: "/_sealpost/doctor/path", query });
      return answer as unknown as MessagePath;
    },
    trust: () => tls.setDefaultCACertificates([...tls.getCACertificates("default"), ca]),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
