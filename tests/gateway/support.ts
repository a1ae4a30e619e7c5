import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { addressSet } from "../../src/gateway/addresses.ts";
import { throwAwayCertificate } from "../../src/gateway/certificates.ts";
import { type Handler, type HttpExchange, refusalStatus } from "../../src/gateway/exchange.ts";
import { defaultLimits, type GatewayLimits } from "../../src/gateway/limits.ts";
import { textReply } from "../../src/gateway/refusals.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../../src/gateway/server.ts";
import { silentLog } from "../../src/kernel/log.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { SecretBox } from "../../src/kernel/secrets.ts";

export const random: Random = {
  bytes: (length) => Buffer.from(randomBytes(length)),
  uuid: () => randomUUID(),
};

/** Stands in for the real box: turns bytes over, so that a stored secret is not found in clear. */
export const secretBox: SecretBox = {
  seal: (secret, context) => `${context}|${Buffer.from(secret).reverse().toString("base64")}`,
  open(sealed, context) {
    const [name, text = ""] = sealed.split("|");
    if (name !== context) throw new Error("sealed under another context");
    return Buffer.from(text, "base64").reverse();
  },
};

export function temporaryFolder(test: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "sealpost-test-"));
  test.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const certificate = throwAwayCertificate(Date.now(), random);

/** Answers with what arrived. */
export function echo(handle?: Handler["handle"]): Handler {
  return {
    admit: () => ({ bodyBytesMax: 1024 * 1024, context: undefined }),
    handle:
      handle ??
      (async ({ method, path, query, transportFacts }, body) =>
        textReply(200, `${method} ${path} ${query} ${body.length} ${transportFacts.baseUrl}`)),
    refuse: (_exchange: HttpExchange, refusal) => textReply(refusalStatus[refusal], refusal),
  };
}

export type TestGatewayOptions = Partial<Omit<GatewayOptions<unknown>, "limits">> & {
  readonly limits?: Partial<GatewayLimits>;
};

export async function testGateway(
  test: TestContext,
  options: TestGatewayOptions = {},
): Promise<Gateway> {
  const gateway = await startGateway({
    host: "127.0.0.1",
    port: 0,
    tls: certificate,
    tlsOnly: false,
    trustedProxies: addressSet([]),
    handler: echo(),
    systemClock: { now: () => Date.now() },
    log: silentLog,
    ...options,
    limits: { ...defaultLimits, stopMs: 200, ...options.limits },
  });
  test.after(() => gateway.stop());
  return gateway;
}

/** A client on a bare socket: it sends exactly what it is told. */
export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  /** Resolves when the text has arrived; rejects if the connection ends before. */
  until(text: string): Promise<string>;
  /** Resolves to all that arrived when the connection has ended. */
  closed: Promise<string>;
}

export function rawClient(
  test: TestContext,
  port: number,
  secure = false,
  host = "127.0.0.1",
): RawClient {
  const socket = secure
    ? connectTls({ port, host, rejectUnauthorized: false })
    : connect({ port, host });
  let received = "";
  const watchers = new Set<() => void>();
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    for (const watcher of watchers) watcher();
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => {
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(received));
  });
  test.after(() => void socket.destroy());
  const until = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const watcher = (): void => {
        if (!received.includes(text)) return;
        watchers.delete(watcher);
        resolve(received);
      };
      watchers.add(watcher);
      void closed.then(() => reject(new Error(`closed before \`${text}\`; got: ${received}`)));
      watcher();
    });
  return { socket, received: () => received, until, closed };
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}

/** A promise with its handles, for steps that a test takes in order. */
export function signalled<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
