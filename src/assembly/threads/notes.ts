import type { DenialLog, NotedDenial } from "../../doctor/denial-log.ts";
import type { Rate } from "../../services/cloudtrail/rate.ts";
import type { RequestQuotas } from "../../services/kms/quotas.ts";
import type { StatusLog } from "../../services/sns/ports.ts";
import type { Line } from "../../threads/line.ts";

type Status = Parameters<StatusLog["write"]>;
type Taken = Parameters<RequestQuotas["take"]>;
type Looked = Parameters<Rate["take"]>;

/** What the process remembers and counts in one place, whichever thread it happens in. */
export interface Notes {
  readonly denials: Pick<DenialLog, "note">;
  readonly statusLog: StatusLog;
  readonly kmsQuotas: RequestQuotas | undefined;
  readonly lookupRate: Rate | undefined;
}

export function serveNotes(line: Line, notes: Notes): void {
  const { denials, statusLog, kmsQuotas, lookupRate } = notes;
  line.on<NotedDenial>("denial", (denial) => denials.note(denial));
  line.on<Status>("delivery-status", (status) => statusLog.write(...status));
  line.on<Taken>("kms-quota", (taken) => kmsQuotas?.take(...taken) ?? true);
  line.on<Looked>("lookup-rate", (looked) => lookupRate?.take(...looked) ?? true);
}

/** `counted`: whether there are such limits. */
export function notesElsewhere(
  line: Line,
  counted: { readonly kmsQuotas: boolean; readonly lookupRate: boolean },
): Notes {
  return {
    denials: { note: (denial) => line.tell("denial", denial) },
    statusLog: { write: (...status) => line.tell("delivery-status", status) },
    kmsQuotas: counted.kmsQuotas
      ? { take: (...taken) => line.ask<boolean>("kms-quota", taken) }
      : undefined,
    lookupRate: counted.lookupRate
      ? { take: (...looked) => line.ask<boolean>("lookup-rate", looked) }
      : undefined,
  };
}
