import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { ServiceTable } from "../../kernel/operation.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { accounts, installation } from "./store.ts";

/**
 * AWS: an account that has not signed up for KMS hears so of each call; SNS and SQS tell it in
 * their own words (KMSOptInRequired).
 */
export function requireKmsOptIn(table: ServiceTable, call: Call): Soon<void> {
  if (table.name !== "kms") return;
  const { caller } = call;
  const accountId = caller.kind === "service" ? caller.sourceAccountId : callerAccountId(caller);
  if (accountId === undefined) return;
  return soon(accounts.get(call.records, installation, accountId), (account) => {
    if (account?.kmsOptOut !== true) return;
    const text = "The AWS Access Key Id needs a subscription for the service";
    throw new Refusal("OptInRequired", text, { status: 403 });
  });
}
