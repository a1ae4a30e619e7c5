import { keyArn } from "./keys.ts";
import { refuse } from "./refusals.ts";
import type { KeyRecord } from "./store.ts";

/**
 * What a state lets an operation do (the table of AWS's guide, by groups of like rows):
 * `use` cryptography and rotation settings; `change` settings, aliases to it, deletion;
 * `cancel` only CancelKeyDeletion. Operations that work in every state ask nothing.
 */
export type StateRule = "use" | "change" | "cancel";

/** Throws DisabledException or KMSInvalidStateException where the key's state forbids it. */
export function requireState(key: Readonly<KeyRecord>, rule: StateRule): void {
  const arn = keyArn(key);
  if (rule === "cancel") {
    if (key.state !== "PendingDeletion") {
      throw refuse("KMSInvalidStateException", `${arn} is not pending deletion.`);
    }
    return;
  }
  if (key.state === "PendingDeletion") {
    throw refuse("KMSInvalidStateException", `${arn} is pending deletion.`);
  }
  if (key.state === "Disabled" && rule === "use") {
    throw refuse("DisabledException", `${arn} is disabled.`);
  }
}
