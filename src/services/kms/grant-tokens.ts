import type { Random } from "../../kernel/random.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { refuse } from "./refusals.ts";
import type { GrantRecord, KeyRecord } from "./store.ts";

/** Authenticates what clients hold for us, under a ring key. */
export interface TokenMacs {
  sign(bytes: Uint8Array): Uint8Array;
  verify(bytes: Uint8Array, mac: Uint8Array): boolean;
}

/** Where a grant token leads. */
export interface GrantName {
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
  readonly grantId: string;
}

const label = "sealpost.grant-token.1";
const macBytes = 16;
const nonceBytes = 16;

/** AWS: each CreateGrant answers with a token of its own; all of a grant's are equal in force. */
export function makeGrantToken(
  macs: TokenMacs,
  random: Random,
  key: Readonly<KeyRecord>,
  { grantId }: Pick<GrantRecord, "grantId">,
): string {
  const nonce = random.bytes(nonceBytes).toString("hex");
  const body = JSON.stringify([label, key.accountId, key.region, key.keyId, grantId, nonce]);
  const bytes = Buffer.from(body);
  return Buffer.concat([bytes, macs.sign(bytes)]).toString("base64");
}

/** Throws InvalidGrantTokenException for a token that was not made here. AWS?: text. */
export function openGrantToken(macs: TokenMacs, token: string): GrantName {
  const bytes = Buffer.from(token, "base64");
  const body = bytes.subarray(0, Math.max(0, bytes.length - macBytes));
  const genuine = bytes.toString("base64") === token && body.length > 0;
  if (!genuine || !macs.verify(body, bytes.subarray(body.length))) throw invalidToken();
  const parts: unknown = body.toString().startsWith("[") ? JSON.parse(body.toString()) : [];
  if (!Array.isArray(parts) || parts[0] !== label) throw invalidToken();
  const [, accountId, region, keyId, grantId] = parts.map(String);
  return {
    accountId: accountId ?? "",
    region: region ?? "",
    keyId: keyId ?? "",
    grantId: grantId ?? "",
  };
}

/**
 * A grant counts here as soon as it is made, so a genuine token changes nothing; another one is a
 * mistake that the client should hear of.
 */
export function requireGrantTokens(
  dependencies: Pick<KmsDependencies, "grantTokens">,
  tokens: readonly string[] | undefined,
): void {
  for (const token of tokens ?? []) openGrantToken(dependencies.grantTokens, token);
}

function invalidToken() {
  return refuse("InvalidGrantTokenException", "The grant token is not valid.");
}
