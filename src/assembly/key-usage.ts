import type { Clock } from "../kernel/clock.ts";
import type { Store } from "../kernel/command.ts";
import type { LookupAuditEvents } from "../services/cloudtrail/store.ts";
import type { KeyLastUse, KeyOfUse, KmsDependencies } from "../services/kms/dependencies.ts";

/** AWS: the operations that GetKeyLastUsage looks at. */
const cryptographic = new Set([
  "Decrypt",
  "DeriveSharedSecret",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "ReEncrypt",
  "Sign",
  "Verify",
  "VerifyMac",
]);

const pageEvents = 50;
/** Management calls stand between uses; a key with this many of them in a row was not used. */
const pagesMax = 20;

/** The latest use of a key, read from the audit: its records are the count that cannot drift. */
export function lastUseIn(store: Pick<Store, "query">, clock: Clock): KmsDependencies["lastUse"] {
  return async ({ arn, accountId, region, createdMs }: KeyOfUse) => {
    let after: LookupAuditEvents["after"];
    for (let page = 0; page < pagesMax; page += 1) {
      const events = await store.query<LookupAuditEvents>({
        kind: "audit.lookup",
        accountId,
        region,
        attribute: { name: "ResourceName", value: arn },
        startMs: createdMs,
        endMs: clock.now(),
        limit: pageEvents,
        ...(after && { after }),
      });
      for (const event of events) {
        const use = useOf(event);
        if (use) return use;
      }
      const last = events.at(-1);
      if (last === undefined || events.length < pageEvents) return undefined;
      after = { timeMs: last.timeMs, number: last.number };
    }
    return undefined;
  };
}

interface Event {
  readonly eventName: string;
  readonly timeMs: number;
  readonly eventId: string;
  readonly record: string;
}

/** Failed calls are no uses. */
function useOf({ eventName, timeMs, eventId, record }: Event): KeyLastUse | undefined {
  if (!cryptographic.has(eventName)) return undefined;
  const facts: { errorCode?: string; requestID?: string } = JSON.parse(record);
  if (facts.errorCode !== undefined) return undefined;
  return { operation: eventName, atMs: timeMs, eventId, requestId: facts.requestID ?? "" };
}
