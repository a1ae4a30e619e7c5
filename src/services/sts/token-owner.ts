import type { Call } from "../../kernel/call.ts";
import type { RootCaller, UserCaller } from "../../kernel/caller.ts";
import { denied } from "./refusals.ts";

const secondsDefault = 43_200;
/** AWS: sessions of root last an hour at most, whatever was asked for. */
const rootSecondsMax = 3600;

/** Who asks with a long-term access key. Throws AccessDenied for sessions. */
export function longTermCaller(call: Call): UserCaller | RootCaller {
  const { caller } = call;
  const longTerm = caller.kind === "user" || caller.kind === "root";
  if (longTerm && caller.session === undefined) return caller;
  throw denied(call, `Cannot call ${call.operation} with session credentials`);
}

export function tokenSeconds(caller: UserCaller | RootCaller, requested?: number): number {
  const seconds = requested ?? secondsDefault;
  return caller.kind === "root" ? Math.min(seconds, rootSecondsMax) : seconds;
}
