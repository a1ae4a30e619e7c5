import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { RecordView } from "../../kernel/records.ts";
import { invalidInput, noSuchEntity, validationError } from "./refusals.ts";
import { accountScope, type OidcProviderRecord, oidcProviders } from "./store.ts";

export const clientIdsMax = 100;

export function providerArn(provider: {
  readonly accountId: string;
  readonly issuer: string;
}): string {
  return formatArn("iam", "", provider.accountId, `oidc-provider/${provider.issuer}`);
}

/** The issuer of a URL, without scheme. Throws InvalidInput, ValidationError. */
export function issuerOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const usable =
    parsed?.protocol === "https:" &&
    parsed.username === "" &&
    parsed.password === "" &&
    parsed.search === "" &&
    parsed.hash === "";
  // AWS?: the text.
  if (!parsed || !usable) throw validationError("Invalid Open ID Connect Provider URL");
  const path = parsed.pathname.replace(/\/$/, "");
  if (path.includes("*")) throw invalidInput("Invalid Open ID Connect Provider URL");
  return parsed.host + path;
}

/** A provider of any account, as AssumeRoleWithWebIdentity finds it. */
export async function findProvider(
  view: RecordView,
  arn: string,
): Promise<Readonly<OidcProviderRecord> | undefined> {
  const parsed = parseArn(arn);
  const prefix = "oidc-provider/";
  if (parsed?.service !== "iam" || !parsed.resource.startsWith(prefix)) return undefined;
  const issuer = parsed.resource.slice(prefix.length);
  return oidcProviders.get(view, accountScope(parsed.accountId), issuer);
}

/** Throws NoSuchEntity. */
export async function requireProvider(
  call: Call,
  arn: string,
): Promise<Readonly<OidcProviderRecord>> {
  const provider = await findProvider(call.records, arn);
  if (provider?.accountId === call.accountId) return provider;
  throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
}

export function putProvider(provider: OidcProviderRecord): Command {
  return oidcProviders.put(accountScope(provider.accountId), provider.issuer, provider);
}

export async function providerUse(
  call: Call,
  arn: string,
  options: { readonly context?: ConditionContext } = {},
): Promise<ResourceUse> {
  const provider = await findProvider(call.records, arn);
  const own = provider?.accountId === call.accountId ? provider : undefined;
  const type = "AWS::IAM::OIDCProvider";
  return { arn, accountId: call.accountId, ...(own && { tags: own.tags }), type, ...options };
}

/** AWS: SHA-1 of a certificate, 40 hex digits. Throws InvalidInput. */
export function requireThumbprints(thumbprints: readonly string[]): readonly string[] {
  if (thumbprints.length > 5) {
    throw invalidInput("Thumbprint list must contain fewer than 5 entries.");
  }
  if (thumbprints.some((one) => !/^[0-9a-fA-F]{40}$/.test(one))) {
    throw invalidInput("Thumbprint must be 40 hexadecimal digits.");
  }
  return thumbprints;
}
