import type { InsertMessages, PlacedMessage } from "../../services/sqs/store.ts";
import { type Acts, allDone, type Work } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";
import { createFifoSends } from "./fifo-sends.ts";
import { lanes } from "./lanes.ts";
import { type Placing, place } from "./placing.ts";
import type { Tenants } from "./tenants.ts";

/** How sent messages get their places: all that arrived together by one statement. */
export function sendActs(dataKeys: DataKeys, tenants: Tenants): Acts<InsertMessages> {
  const fifo = createFifoSends();
  return {
    "sqs.insert": async (work, commands) => {
      await findDataKeys(work, commands, dataKeys);
      const standard: Placing[] = [];
      const ordered: { readonly command: InsertMessages; readonly index: number }[] = [];
      const results: (readonly PlacedMessage[] | undefined)[] = commands.map((command, index) => {
        const queue = work.queue(command.queue);
        if (queue === undefined) return undefined;
        if (command.fifo) ordered.push({ command, index });
        else {
          for (const message of command.messages) {
            const lane = message.groupId ? lanes.tenant : lanes.plain;
            standard.push({ queue, lane, message });
            if (message.groupId) tenants.sent(queue, message.groupId, message.sentMs);
          }
        }
        return undefined;
      });
      const sent = fifo(
        work,
        ordered.map(({ command }) => command),
      );
      await allDone([sent, standard.length > 0 ? place(work, standard) : Promise.resolve()]);
      const placed = await sent;
      ordered.forEach(({ index }, at) => {
        results[index] = placed[at];
      });
      return results;
    },
  };
}

async function findDataKeys(
  work: Work,
  commands: readonly InsertMessages[],
  dataKeys: DataKeys,
): Promise<void> {
  const places = commands.flatMap(({ queue: { accountId, region }, messages }) =>
    messages.map(({ sealed }) => ({ accountId, region, id: sealed.dataKeyId })),
  );
  await dataKeys.find(work, places);
}
