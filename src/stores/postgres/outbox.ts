/** Hints for other processes on their way out. */
export interface Outbox {
  /** The same hint twice in one turn goes out once. */
  put(topic: string, text: string): void;
  /** Hints of others in what was received; none of one's own. */
  read(payload: string): readonly (readonly [topic: string, text: string])[];
  /** Answers when what was put so far has gone out. */
  flush(): Promise<void>;
}

/** PostgreSQL takes payloads of less than 8000 bytes. */
const payloadBytesMax = 7000;
/** Hints that wait while the database is away: more than these are given up, for they are hints. */
const waitingMax = 10_000;

export function createOutbox(options: {
  readonly processId: string;
  readonly send: (payloads: readonly string[]) => Promise<void>;
}): Outbox {
  let waiting = new Set<string>();
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    // After this turn: whatever else it tells goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.size > 0) {
      const hints = [...waiting];
      waiting = new Set();
      // What is lost is found by those who look for themselves.
      await options.send(payloadsOf(options.processId, hints)).catch(() => {});
    }
    sending = undefined;
  }

  return {
    put(topic, text) {
      if (waiting.size >= waitingMax) return;
      waiting.add(JSON.stringify([topic, text]));
      sending ??= sendAll();
    },
    read(payload) {
      const [sender, ...hints] = payload.split("\n");
      if (sender === options.processId) return [];
      return hints.map((hint) => JSON.parse(hint) as [string, string]);
    },
    flush: async () => sending,
  };
}

/** The sender, then one hint in each line. */
function payloadsOf(processId: string, hints: readonly string[]): readonly string[] {
  const payloads: string[] = [];
  let payload = processId;
  for (const hint of hints) {
    if (Buffer.byteLength(payload) + Buffer.byteLength(hint) > payloadBytesMax) {
      payloads.push(payload);
      payload = processId;
    }
    payload += `\n${hint}`;
  }
  payloads.push(payload);
  return payloads;
}
