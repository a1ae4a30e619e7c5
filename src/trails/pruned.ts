import type { Json } from "../kernel/json.ts";

/** DIFFERS: AWS's event history has no record of what became too old. */
export const pruneEventName = "PruneEventHistory";

export interface PrunedEvents {
  readonly throughNumber: number;
  /** Hash of that event, hex: what the first event that is left follows. */
  readonly throughHash: string;
  readonly firstNumber: number;
}

/** `serviceEventDetails` of the record. */
export function prunedDetails(pruned: PrunedEvents, throughTimeMs: number): Json {
  const { firstNumber, throughNumber, throughHash } = pruned;
  return {
    firstNumber,
    throughNumber,
    throughHash,
    throughTime: new Date(throughTimeMs).toISOString(),
  };
}

/** What a record says; undefined if it is no such record. */
export function readPruned(record: string): PrunedEvents | undefined {
  const parsed: unknown = JSON.parse(record);
  const details: unknown = Reflect.get(Object(parsed), "serviceEventDetails");
  const firstNumber: unknown = Reflect.get(Object(details), "firstNumber");
  const throughNumber: unknown = Reflect.get(Object(details), "throughNumber");
  const throughHash: unknown = Reflect.get(Object(details), "throughHash");
  const sound =
    typeof throughNumber === "number" &&
    typeof throughHash === "string" &&
    typeof firstNumber === "number";
  return sound ? { firstNumber, throughNumber, throughHash } : undefined;
}
