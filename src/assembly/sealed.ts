import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { packageVersion } from "../cli/io.ts";
import type { Settings } from "../config.ts";
import { systemRandom } from "../crypto/random.ts";
import { addressSet } from "../gateway/addresses.ts";
import { adminHandler } from "../gateway/admin.ts";
import { throwAwayCertificate } from "../gateway/certificates.ts";
import { openDataFolder } from "../gateway/data-folder.ts";
import type { Handler, HttpExchange } from "../gateway/exchange.ts";
import { healthRoute, sealedHandler } from "../gateway/health.ts";
import { defaultLimits } from "../gateway/limits.ts";
import { startGateway } from "../gateway/server.ts";
import { removeServerFile, writeServerFile } from "../gateway/server-file.ts";
import { Fault } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { urlHost } from "./listeners.ts";

/** The data folder is there and its seal is not: the server can wait for it. */
export class SealedError extends Error {
  override readonly name = "SealedError";
}

/** Whether a failure to open a seal may pass without anything being done to the data folder. */
export function isSealMissing(error: unknown): error is Fault {
  return (
    error instanceof Fault &&
    (error.kind === "root-key-missing" || error.kind === "seal-unavailable")
  );
}

/** What both kinds of running server are to whoever started them. */
interface Running {
  readonly httpsUrl: string;
  readonly httpUrl: string | undefined;
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

const retryMs = 5_000;
const healthPath = "/_sealpost/health";

/**
 * Serves while the seal is missing: health says `sealed`, everything else gets an error that says
 * so, under a certificate that nobody is asked to trust. Every five seconds it looks whether the
 * seal is there (`probe` fails with SealedError until then) and then becomes `start`'s server.
 */
export async function startSealed<R extends Running>(options: {
  readonly settings: Settings;
  readonly reason: string;
  readonly log: Log;
  readonly probe: () => Promise<void>;
  readonly start: (settings: Settings) => Promise<R>;
}): Promise<Running> {
  const { settings, log } = options;
  log.error("this server is sealed: it serves nothing until its seal is there", {
    reason: options.reason,
  });
  const closed = await openSealedDoor(settings, log);
  const failure = Promise.withResolvers<Error>();
  let current: Pick<Running, "stop"> = closed;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let working: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    try {
      await options.probe();
    } catch (error) {
      if (!(error instanceof SealedError)) throw error;
      return plan();
    }
    if (stopping) return;
    log.info("the seal is there: the server opens");
    await closed.stop();
    const opened = await options.start({ ...settings, port: closed.port });
    current = opened;
    opened.failed.then(failure.resolve, failure.resolve);
  };
  const plan = (): void => {
    if (stopping) return;
    timer = setTimeout(() => {
      working = look().catch((error: unknown) => {
        failure.resolve(error instanceof Error ? error : new Error(String(error)));
      });
    }, retryMs);
  };
  plan();
  return {
    httpsUrl: closed.httpsUrl,
    httpUrl: closed.httpUrl,
    failed: failure.promise,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await working;
      await current.stop();
    },
  };
}

async function openSealedDoor(settings: Settings, log: Log) {
  await using scope = new AsyncDisposableStack();
  const systemClock = { now: () => Math.round(performance.timeOrigin + performance.now()) };
  const now = systemClock.now();
  const path = resolve(settings.data);
  const { clock, region } = settings;
  const folder = openDataFolder({ path, clock, accountId: settings.account, region, now });
  scope.defer(() => folder.close());
  const gateway = await startGateway({
    host: settings.host,
    port: settings.port,
    tls: throwAwayCertificate(now, systemRandom),
    tlsOnly: settings.tlsOnly,
    trustedProxies: addressSet(settings.trustProxy),
    handler: sealedDoor(settings, log),
    limits: defaultLimits,
    systemClock,
    log,
  });
  scope.defer(() => gateway.stop());
  const address = `${urlHost(settings.host)}:${gateway.port}`;
  const httpUrl = settings.tlsOnly ? undefined : `http://${address}`;
  const ca = join(path, "ca.pem");
  writeServerFile(path, {
    pid: process.pid,
    httpsUrl: `https://${address}`,
    httpUrl: httpUrl ?? null,
    caFile: existsSync(ca) ? ca : null,
    region: folder.installation.region,
    accountId: folder.installation.accountId,
  });
  scope.defer(() => removeServerFile(path));
  const running = scope.move();
  const stop = () => running.disposeAsync();
  return { httpsUrl: `https://${address}`, httpUrl, port: gateway.port, stop };
}

/** Health is told; whatever else is asked, the answer is that the server is sealed. */
function sealedDoor(settings: Settings, log: Log): Handler {
  const health = { status: "sealed", clock: settings.clock, version: packageVersion() } as const;
  const admin = adminHandler({
    routes: [healthRoute(() => health)],
    guard: {
      async authorise() {
        throw new Error("health asks nobody who they are");
      },
    },
    allowInsecureSecrets: settings.allowInsecureSecrets,
    log,
  }) as Handler;
  const sealed = sealedHandler() as Handler;
  const handlerOf = ({ path }: HttpExchange) => (path === healthPath ? admin : sealed);
  return {
    admit: (exchange) => handlerOf(exchange).admit(exchange),
    handle: (exchange, body, context) => handlerOf(exchange).handle(exchange, body, context),
    refuse: (exchange, refusal) => handlerOf(exchange).refuse(exchange, refusal),
  };
}
