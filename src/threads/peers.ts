import type { Peers } from "../kernel/peers.ts";
import type { Line } from "./line.ts";

export interface ThreadPeersOptions {
  /** Of the first thread: to all others. Of another one: to the first. */
  readonly lines: readonly Line[];
  /** Tells what others changed of the configuration; false: too much to tell. */
  readonly changes: (tell: (accountId: string, version: number) => void) => boolean;
}

/**
 * The threads of one process to each other. Unlike processes they lose nothing: versions are read
 * from shared memory before anything that is cached is used, hints arrive in the order in which
 * they were told. The first thread passes on what the others tell.
 */
export function threadPeers({ lines, changes }: ThreadPeersOptions): Peers {
  const listeners = new Map<string, ((text: string) => void)[]>();
  const versionListeners: ((accountId: string, version: number) => void)[] = [];
  const tellVersion = (accountId: string, version: number): void => {
    for (const listener of versionListeners) listener(accountId, version);
  };
  for (const line of lines) {
    line.on<Hint>(hintTopic, (hint) => {
      for (const listener of listeners.get(hint.topic) ?? []) listener(hint.text);
      for (const other of lines) if (other !== line) other.tell(hintTopic, hint);
    });
  }
  return {
    trusted: () => changes(tellVersion),
    onVersion: (listener) => void versionListeners.push(listener),
    watch() {},
    tell(topic, text) {
      for (const line of lines) line.tell(hintTopic, { topic, text } satisfies Hint);
    },
    on(topic, listener) {
      listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
    },
  };
}

interface Hint {
  readonly topic: string;
  readonly text: string;
}

const hintTopic = "hint";
