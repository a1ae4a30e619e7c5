import { hash } from "node:crypto";
import type { EpochMs } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import { recordKind } from "../../kernel/records.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/**
 * A token that confirms a subscription, or takes a cancellation back; id: the token's SHA-256, in
 * hex. Tokens are random, so their digest tells nothing of them, and the token itself is nowhere
 * but in the sealed message that carries it.
 */
export interface ConfirmationRecord {
  readonly accountId: string;
  readonly region: string;
  readonly topicName: string;
  readonly subscriptionArn: string;
  readonly expiresMs: EpochMs;
  /** A subscription that was cancelled by its link, as it was. */
  readonly restore?: SubscriptionRecord | undefined;
}

export const confirmationKind = recordKind<ConfirmationRecord>("sns.confirmation", "installation");

/** Confirmations belong to no account: the token alone finds them. */
export const confirmationScope = { accountId: "", region: "" };

/** AWS: tokens are good for 2 days; AWS?: then the subscription that was not confirmed goes. */
export const confirmationLifeMs = 2 * 86_400_000;

const tokenBytes = 144;

export interface NewToken {
  /** AWS: 288 hex digits. */
  readonly token: string;
  readonly id: string;
}

export function createToken(random: Random): NewToken {
  const token = random.bytes(tokenBytes).toString("hex");
  return { token, id: tokenId(token) };
}

export function isToken(text: string): boolean {
  return /^[0-9a-f]{288}$/.test(text);
}

export function tokenId(token: string): string {
  return hash("sha256", token, "hex");
}
