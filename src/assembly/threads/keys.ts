import type { KeyVault } from "../../kernel/keyvault.ts";
import type { KeyProcess } from "../../keys/client.ts";
import type { Field } from "../../keys/protocol.ts";
import { relayedVault } from "../../keys/vault.ts";
import { type Line, Moved } from "../../threads/line.ts";

interface KeyQuestion {
  readonly operation: number;
  readonly fields: readonly Field[];
}

type OwnBytes = Uint8Array<ArrayBuffer>;

/** There is one key process, a child of the process; further threads reach it through the first. */
export function serveKeys(line: Line, keys: Pick<KeyProcess, "relay">): void {
  line.on<KeyQuestion>("keys", async ({ operation, fields }) => {
    try {
      const answer = await keys.relay(operation, fields);
      return new Moved(answer, buffersOf(answer));
    } finally {
      for (const field of fields) if (typeof field !== "string") field.fill(0);
    }
  });
}

/** INVARIANT: what goes over is moved, never copied: each end wipes what it has read. */
export function keysElsewhere(line: Line): KeyVault {
  return relayedVault((operation, fields) => {
    const own = fields.map((field) => (typeof field === "string" ? field : Uint8Array.from(field)));
    const question: KeyQuestion = { operation, fields: own };
    return line.ask<readonly OwnBytes[]>("keys", question, buffersOf(own));
  });
}

function buffersOf(fields: readonly (string | OwnBytes)[]): ArrayBuffer[] {
  return fields.flatMap((field) => (typeof field === "string" ? [] : [field.buffer]));
}
