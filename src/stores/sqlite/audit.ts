import type { DatabaseSync } from "node:sqlite";
import { historyFacts } from "../../crypto/chain.ts";
import type {
  AppendEvents,
  AuditEvent,
  HistoryFacts,
  LookupAuditEvents,
  UnlockAudit,
} from "../../services/cloudtrail/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { Chains } from "./audit-chain.ts";
import { createIndexSegment, createLookup } from "./audit-segments.ts";
import type { Outbox } from "./trail-outbox.ts";

/** Writing of events, and the questions of LookupEvents. */
export function auditActs(
  database: DatabaseSync,
  chains: Chains,
  outbox: Pick<Outbox, "add">,
): Acts<UnlockAudit | AppendEvents | LookupAuditEvents> {
  const append = createAppend(database, chains);
  return {
    "audit.unlock": ({ version, key }) => {
      chains.unlock({ version, key });
      return undefined;
    },
    "audit.append": ({ events }) => {
      for (const event of events) {
        if (event.history !== undefined) append(event, event.history);
        outbox.add(event);
      }
      return undefined;
    },
    "audit.lookup": createLookup(database),
  };
}

type Append = (event: AuditEvent, facts: HistoryFacts) => void;

function createAppend(database: DatabaseSync, chains: Chains): Append {
  // A row that is there already lies beyond the head, so somebody else wrote it: it is no event.
  const putEvent = prepare(
    database,
    "INSERT OR REPLACE INTO audit_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const indexSegment = createIndexSegment(database);
  return ({ accountId, region, timeMs, record }, facts) => {
    const lane = { accountId, region, lane: "" };
    const linked = historyFacts({ timeMs, ...facts });
    const text = record.join("");
    const { number, hash, keyVersion } = chains.link(lane, linked, text);
    putEvent.run(
      accountId,
      region,
      number,
      timeMs,
      facts.eventId,
      facts.eventName,
      facts.eventSource,
      facts.username,
      facts.accessKeyId,
      facts.readOnly ? 1 : 0,
      JSON.stringify(facts.resources.map(({ type, name }) => [type, name])),
      text,
      keyVersion,
      hash,
    );
    indexSegment(accountId, region, number);
  };
}
