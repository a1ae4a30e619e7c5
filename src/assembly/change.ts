import type { Command } from "../kernel/command.ts";
import { Fault, StaleDecision } from "../kernel/errors.ts";
import type { RecordCache } from "../state/record-cache.ts";
import type { TrackedView } from "../state/tracked-view.ts";

const attemptsMax = 20;

/**
 * Decides a change of the configuration and makes it durable; decides again where the
 * configuration moved on meanwhile. For the operator's acts, which walk no pipeline.
 */
export async function change<T extends { readonly commands: readonly Command[] }>(
  records: RecordCache,
  decide: (view: TrackedView) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const view = records.view();
    const decided = await decide(view);
    try {
      await records.commit(view, decided.commands);
      return decided;
    } catch (error) {
      if (!(error instanceof StaleDecision)) throw error;
    }
  }
  throw new Fault("configuration-storm", "the configuration changed at every attempt");
}
