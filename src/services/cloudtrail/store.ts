import type { Command, Query } from "../../kernel/command.ts";

/** An audit event with what LookupEvents can ask for; `record` is the CloudTrail JSON. */
export interface AuditEvent {
  readonly accountId: string;
  readonly region: string;
  readonly eventId: string;
  readonly timeMs: number;
  readonly eventName: string;
  readonly eventSource: string;
  readonly username: string;
  readonly accessKeyId: string;
  readonly readOnly: boolean;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
  readonly record: string;
}

export interface AppendEvents extends Command<undefined> {
  readonly kind: "audit.append";
  readonly events: readonly AuditEvent[];
}

/** Removes events older than a time, at most `rowsMax`. */
export interface PruneEvents extends Command<{ removed: number }> {
  readonly kind: "audit.prune";
  readonly beforeMs: number;
  readonly rowsMax: number;
}

export type LookupAttribute =
  | { readonly name: "EventId" | "EventName" | "Username"; readonly value: string }
  | { readonly name: "EventSource" | "AccessKeyId"; readonly value: string }
  | { readonly name: "ResourceType" | "ResourceName"; readonly value: string }
  | { readonly name: "ReadOnly"; readonly value: boolean };

/** Newest first (time, then order of writing). */
export interface LookupAuditEvents
  extends Query<readonly (AuditEvent & { readonly position: number })[]> {
  readonly kind: "audit.lookup";
  readonly accountId: string;
  readonly region: string;
  readonly attribute?: LookupAttribute;
  readonly startMs: number;
  readonly endMs: number;
  readonly limit: number;
  /** Continue after this event. */
  readonly after?: { readonly timeMs: number; readonly position: number };
}

export type AuditCommand = AppendEvents | PruneEvents;
export type AuditQuery = LookupAuditEvents;
