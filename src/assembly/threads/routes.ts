import { adminBodyBytesMax, adminPrefix, refuseAdmin } from "../../gateway/admin.ts";
import type { Handler, HttpExchange, HttpReply } from "../../gateway/exchange.ts";
import type { Line } from "../../threads/line.ts";

/** A request as it goes to the first thread. */
interface HandedOver {
  readonly facts: Omit<HttpExchange, "signal" | "bodyAuthenticated">;
  readonly body: Uint8Array;
}

interface ReplyHead extends Pick<HttpReply, "status" | "headers"> {
  readonly body?: string | Uint8Array;
  /** The body comes in parts, each of them asked for. */
  readonly streamId?: number;
}

type Part = { readonly done: true } | { readonly done: false; readonly bytes: Uint8Array };

/**
 * The server's own addresses are answered by the first thread, where what there is once in a process
 * is: health, metrics, clock, doctor, trails, backup.
 */
export function serveRoutes(line: Line, handler: Handler): void {
  const streams = new Map<number, AsyncIterator<Buffer>>();
  let lastId = 0;
  line.on<HandedOver>("http", async ({ facts, body }): Promise<ReplyHead> => {
    const { signal } = new AbortController();
    const exchange: HttpExchange = { ...facts, signal, bodyAuthenticated() {} };
    const { body: answer, ...head } = await answerTo(handler, exchange, Buffer.from(body));
    if (typeof answer === "string") return { ...head, body: answer };
    if (answer instanceof Uint8Array) return { ...head, body: Uint8Array.from(answer) };
    lastId += 1;
    streams.set(lastId, answer[Symbol.asyncIterator]());
    return { ...head, streamId: lastId };
  });
  line.on<number>("http.next", async (id): Promise<Part> => {
    const { done, value } = (await streams.get(id)?.next()) ?? { done: true };
    if (!done) return { done: false, bytes: Uint8Array.from(value) };
    streams.delete(id);
    return { done: true };
  });
  line.on<number>("http.leave", async (id) => {
    const stream = streams.get(id);
    streams.delete(id);
    await stream?.return?.();
  });
}

async function answerTo(handler: Handler, exchange: HttpExchange, body: Buffer) {
  const admission = await handler.admit(exchange);
  if ("refuse" in admission) return admission.refuse;
  return handler.handle(exchange, body, admission.context);
}

const handedOver = Symbol("handed over");

/** For a further thread: the AWS front here, the server's own addresses there. */
export function routesElsewhere(line: Line, front: Handler): Handler {
  return {
    admit: (exchange) =>
      isOwn(exchange)
        ? { bodyBytesMax: adminBodyBytesMax, context: handedOver }
        : front.admit(exchange),
    handle: (exchange, body, context) =>
      context === handedOver
        ? handOver(line, exchange, body)
        : front.handle(exchange, body, context),
    refuse: (exchange, refusal) =>
      isOwn(exchange) ? refuseAdmin(refusal) : front.refuse(exchange, refusal),
  };
}

function isOwn({ method, path }: HttpExchange): boolean {
  return (
    path.startsWith(adminPrefix) ||
    (method === "GET" && path.startsWith("/SimpleNotificationService-"))
  );
}

async function handOver(line: Line, exchange: HttpExchange, body: Buffer): Promise<HttpReply> {
  const { method, path, query, headers, transportFacts } = exchange;
  const facts = { method, path, query, headers, transportFacts };
  const question: HandedOver = { facts, body: Uint8Array.from(body) };
  const reply = await line.ask<ReplyHead>("http", question);
  // A long answer is on its way now: its request no longer counts among those to be read.
  exchange.bodyAuthenticated();
  const { status, headers: answered, body: whole, streamId } = reply;
  if (streamId !== undefined) {
    return { status, headers: answered, body: partsOf(line, streamId) };
  }
  return { status, headers: answered, body: typeof whole === "string" ? whole : bytesOf(whole) };
}

function bytesOf(body: Uint8Array | undefined): Buffer {
  return Buffer.from(body ?? []);
}

async function* partsOf(line: Line, streamId: number): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const part = await line.ask<Part>("http.next", streamId);
      if (part.done) return;
      yield Buffer.from(part.bytes);
    }
  } finally {
    line.tell("http.leave", streamId);
  }
}
