import { sealBody } from "../crypto/envelope.ts";
import { type Body, wholeBody } from "../kernel/body.ts";
import type { Sealed, StoredDataKey, Unsealed } from "../kernel/sealed.ts";
import type { SealedBodies } from "../kernel/sealer.ts";
import type { CachedDataKey } from "./data-key-cache.ts";
import type { PutDataKey, SealingThread } from "./store.ts";

/** What the cache remembers of a data key it seals with. */
export interface SealingFacts {
  readonly stored: StoredDataKey;
  /** Some commit with the data key's row is durable. */
  durable: boolean;
  /** The store's thread holds a copy. */
  handedOver: boolean;
}

/** Seals a body, or has it sealed on its way. */
export type Seal<S> = (key: CachedDataKey<SealingFacts>, sealingArn: string, body: Body) => S;

export const sealHere: Seal<Sealed> = ({ plaintext, facts }, sealingArn, body) =>
  sealBody(plaintext, facts.stored.id, sealingArn, wholeBody(body));

export function sealBy(thread: SealingThread): Seal<Unsealed> {
  return ({ plaintext, facts }, sealingArn, { bytes, insertion }) => {
    const dataKeyId = facts.stored.id;
    if (!facts.handedOver) {
      thread.keep(dataKeyId, plaintext);
      facts.handedOver = true;
    }
    return { dataKeyId, sealingArn, body: bytes, insertion };
  };
}

/** Seals at once: the key is not kept. */
export class SealedUnder<S extends Sealed | Unsealed> implements SealedBodies<S> {
  readonly sealed: readonly S[];
  readonly commands: readonly PutDataKey[];
  readonly #facts: SealingFacts;

  constructor(
    key: CachedDataKey<SealingFacts>,
    sealingArn: string,
    bodies: readonly Body[],
    seal: Seal<S>,
  ) {
    const { facts } = key;
    this.sealed = bodies.map((body) => seal(key, sealingArn, body));
    this.commands = facts.durable ? nothing : [putDataKey(facts.stored)];
    this.#facts = facts;
  }

  stored(): void {
    this.#facts.durable = true;
  }
}

const nothing: readonly PutDataKey[] = [];

function putDataKey(dataKey: StoredDataKey): PutDataKey {
  return { kind: "data-key.put", dataKey };
}
