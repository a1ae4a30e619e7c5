import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

/** An endpoint on loopback that writes down what it gets. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  /** How the next requests are answered; default 200. */
  answer: Answer;
  /** Resolves once so many requests came. */
  waitFor(count: number): Promise<readonly ReceivedRequest[]>;
  close(): Promise<void>;
}

export async function startReceiver(tls?: {
  readonly key: string;
  readonly cert: string;
}): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const waiting: { count: number; done: () => void }[] = [];
  const listener = (incoming: IncomingMessage, response: ServerResponse) =>
    void receive(incoming, response);
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const receive = async (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "", url = "", headers } = incoming;
    const body = Buffer.concat(chunks).toString();
    const request = { method, path: url, headers, body };
    requests.push(request);
    await receiver.answer(request, response);
    for (const each of waiting) if (requests.length >= each.count) each.done();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    requests,
    answer: (_request, response) => void response.end("thanks"),
    async waitFor(count) {
      while (requests.length < count) {
        await new Promise<void>((done) => waiting.push({ count, done }));
      }
      return requests;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}
