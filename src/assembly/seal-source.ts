import { type Settings, SettingsError } from "../config.ts";
import type { SealSource } from "../keys/seal-source.ts";
import { type SealSecrets, sealSecretNames } from "../seals/flags.ts";
import type { SealKind, SealSettings } from "../seals/seal.ts";
import { ownerNamed } from "./users.ts";

/** The seal that the settings of a start name. */
export function sealOf(settings: Settings): SealSource {
  return sealSource(settings.seal, settings, settings.sealSecrets);
}

export type SealFlags = Pick<
  Settings,
  | "sealFile"
  | "sealPassphraseFile"
  | "sealPkcs11Module"
  | "sealPkcs11Token"
  | "sealPkcs11Key"
  | "sealPkcs11Env"
  | "sealPinFile"
  | "sealKmsKey"
  | "sealKmsEndpoint"
  | "sealKmsRegion"
  | "sealKmsCa"
  | "region"
> & { readonly keyUser?: string | undefined };

/**
 * A seal of a kind as the settings describe it, with its secrets.
 *
 * Throws SettingsError if a setting that the kind needs is missing.
 */
export function sealSource(kind: SealKind, flags: SealFlags, secrets: SealSecrets): SealSource {
  const owner = ownerNamed(flags.keyUser);
  return { ...withSecrets(kind, flags, secrets), ...(owner && { owner }) };
}

function withSecrets(kind: SealKind, flags: SealFlags, secrets: SealSecrets): SealSource {
  const settings = sealSettings(kind, flags);
  switch (kind) {
    case "passphrase":
      return withSecret(settings, secrets.passphrase);
    case "env":
      return withSecret(settings, secrets.rootKey);
    case "pkcs11":
      return { settings, ...(secrets.pin !== undefined && { pin: secrets.pin }) };
    case "aws-kms": {
      const { accessKeyId, secretAccessKey, sessionToken } = secrets;
      if (!accessKeyId || !secretAccessKey) return { settings };
      const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
      return { settings, credentials };
    }
    case "file":
      return { settings };
  }
}

function withSecret(settings: SealSettings, secret: string | undefined): SealSource {
  return secret === undefined ? { settings } : { settings, secret: Buffer.from(secret) };
}

function sealSettings(kind: SealKind, flags: SealFlags): SealSettings {
  switch (kind) {
    case "file":
      return { kind, path: flags.sealFile, mayCreate: true };
    case "env":
      return { kind, variable: sealSecretNames.rootKey };
    case "passphrase":
      return { kind, ...(flags.sealPassphraseFile && { file: flags.sealPassphraseFile }) };
    case "pkcs11":
      return {
        kind,
        module: needed(flags.sealPkcs11Module, "--seal-pkcs11-module", kind),
        tokenLabel: needed(flags.sealPkcs11Token, "--seal-pkcs11-token", kind),
        keyLabel: flags.sealPkcs11Key,
        environment: Object.fromEntries(flags.sealPkcs11Env.map(pairOf)),
        ...(flags.sealPinFile && { pinFile: flags.sealPinFile }),
      };
    case "aws-kms": {
      const region = flags.sealKmsRegion ?? flags.region;
      return {
        kind,
        keyId: needed(flags.sealKmsKey, "--seal-kms-key", kind),
        endpoint: flags.sealKmsEndpoint ?? `https://kms.${region}.amazonaws.com`,
        region,
        ...(flags.sealKmsCa && { caFile: flags.sealKmsCa }),
      };
    }
  }
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

function needed(value: string | undefined, flag: string, kind: SealKind): string {
  if (value !== undefined) return value;
  throw new SettingsError(`the seal ${kind} needs ${flag}`);
}
