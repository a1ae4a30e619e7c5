import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { Fault } from "../kernel/errors.ts";
import { errorOf, type Failure, failureOf } from "./failure.ts";

/**
 * What two threads of one process say to each other. Everything is said at once and heard in the
 * order in which it was said: what was told before an answer left is there before whatever the
 * answer leads to.
 */
export interface Line {
  tell(topic: string, value?: unknown): void;
  /** Rejects with the refusal, fault or stale decision of the other side, or with an Error. */
  ask<T>(topic: string, value?: unknown, moved?: readonly ArrayBuffer[]): Promise<T>;
  /** Who tells is not answered, who asks is. What comes before somebody listens is kept for it. */
  on<V>(topic: string, act: (value: V) => unknown): void;
  /** Hears now what the other side has said already. */
  catchUp(): void;
  close(): void;
}

/** An answer whose buffers go over as they are, so that no copy stays behind. */
export class Moved {
  readonly value: unknown;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: unknown, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

type Said =
  | { readonly kind: "said"; readonly topic: string; readonly value: unknown; readonly id?: number }
  | { readonly kind: "answered"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure };

type Heard = Extract<Said, { kind: "said" }>;

interface Asker {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One end of a line. */
export function openLine(port: MessagePort): Line {
  const listeners = new Map<string, (value: never) => unknown>();
  const early = new Map<string, Heard[]>();
  const askers = new Map<number, Asker>();
  let lastId = 0;
  let closed = false;

  const send = (said: Said, moved: readonly ArrayBuffer[] = []): void => {
    if (!closed) port.postMessage(said, [...moved]);
  };
  const answer = async (id: number, act: () => unknown): Promise<void> => {
    try {
      const value = await act();
      if (value instanceof Moved) send({ kind: "answered", id, value: value.value }, value.buffers);
      else send({ kind: "answered", id, value });
    } catch (error) {
      send({ kind: "failed", id, failure: failureOf(error) });
    }
  };
  const hearSaid = (heard: Heard): void => {
    const listener = listeners.get(heard.topic);
    if (!listener) {
      early.set(heard.topic, [...(early.get(heard.topic) ?? []), heard]);
    } else if (heard.id === undefined) listener(heard.value as never);
    else void answer(heard.id, () => listener(heard.value as never));
  };
  const hear = (said: Said): void => {
    if (said.kind === "said") {
      hearSaid(said);
      return;
    }
    const asker = askers.get(said.id);
    askers.delete(said.id);
    if (said.kind === "answered") asker?.resolve(said.value);
    else asker?.reject(errorOf(said.failure));
  };
  port.on("message", hear);
  port.on("close", () => {
    closed = true;
    for (const { reject } of askers.values()) reject(gone());
    askers.clear();
  });
  return {
    tell: (topic, value) => send({ kind: "said", topic, value }),
    ask: <T>(topic: string, value?: unknown, moved: readonly ArrayBuffer[] = []) =>
      new Promise<T>((resolve, reject) => {
        if (closed) throw gone();
        lastId += 1;
        askers.set(lastId, { resolve: resolve as (value: unknown) => void, reject });
        send({ kind: "said", topic, value, id: lastId }, moved);
      }),
    on(topic, act) {
      listeners.set(topic, act);
      for (const heard of early.get(topic) ?? []) hearSaid(heard);
      early.delete(topic);
    },
    catchUp() {
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
        hear(next.message as Said);
      }
    },
    close() {
      closed = true;
      port.close();
    },
  };
}

function gone(): Fault {
  return new Fault("thread-gone", "the other thread is gone");
}
