import { environmentNameOf, type Settings, SettingsError, settingEntries } from "../config.ts";
import { parseEndpoint } from "../config-endpoints.ts";
import { isLoopbackHost } from "../gateway/addresses.ts";
import { sealSecretNames } from "../seals/flags.ts";
import { presetWarning } from "./presets.ts";

export const rootKeyIdName = "SEALPOST_ROOT_ACCESS_KEY_ID";
export const rootSecretName = "SEALPOST_ROOT_SECRET_ACCESS_KEY";
export const trailKeyIdName = "SEALPOST_TRAIL_ACCESS_KEY_ID";
export const trailSecretName = "SEALPOST_TRAIL_SECRET_ACCESS_KEY";
export const lambdaKeyIdName = "SEALPOST_LAMBDA_ACCESS_KEY_ID";
export const lambdaSecretName = "SEALPOST_LAMBDA_SECRET_ACCESS_KEY";

/** Throws SettingsError for settings that do not go together. */
export function checkTogether(
  settings: Settings,
  explicitSealFile: boolean,
  inContainer = false,
): void {
  const endpoints = settings.vpcEndpoint.map(parseEndpoint);
  if (settings.noPublic && endpoints.length === 0) {
    throw new SettingsError("--no-public needs a --vpc-endpoint to listen on");
  }
  const hosts = [...(settings.noPublic ? [] : [settings.host]), ...endpoints.map((e) => e.host)];
  const loopback = hosts.every(isLoopbackHost);
  if (settings.preset !== undefined && !loopback && !inContainer) {
    throw new SettingsError(
      `--preset ${settings.preset} has credentials that everybody knows: ` +
        "it needs a loopback --host, or a container",
    );
  }
  if (settings.clock === "virtual" && !loopback) {
    throw new SettingsError("--clock virtual needs a loopback host");
  }
  if ((settings.user === undefined) !== (settings.keyUser === undefined)) {
    throw new SettingsError("--user and --key-user go together");
  }
  checkThreads(settings);
  if ((settings.tlsCert === undefined) !== (settings.tlsKey === undefined)) {
    throw new SettingsError("--tls-cert and --tls-key go together");
  }
  if (settings.trailEndpoint !== undefined && settings.trailCredentials === undefined) {
    throw new SettingsError(
      `--trail-endpoint needs ${trailKeyIdName} and ${trailSecretName} in the environment`,
    );
  }
  if (settings.tlsCert !== undefined && settings.tlsName.length > 0) {
    throw new SettingsError("--tls-name has no effect on the own certificate of --tls-cert");
  }
  if (!loopback && settings.seal === "file" && !explicitSealFile) {
    throw new SettingsError(
      "on a host that is not loopback the root key must not lie unnoticed beside the data it " +
        `seals: name its place with --seal-file (the default would be ${settings.sealFile})`,
    );
  }
}

function checkThreads({ threads, store, preset }: Settings): void {
  if (threads === 1) return;
  if (store !== "sqlite") {
    throw new SettingsError(
      "--threads is for the embedded store: on PostgreSQL start more server processes instead, " +
        "on this machine or on others",
    );
  }
  if (preset !== undefined) {
    throw new SettingsError(
      `--threads has no use under --preset ${preset}, which serves one developer's tests`,
    );
  }
}

/** What the operator should be told at the start. */
export function warningsFor(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const known = new Set([
    rootKeyIdName,
    rootSecretName,
    trailKeyIdName,
    trailSecretName,
    lambdaKeyIdName,
    lambdaSecretName,
    ...Object.values(sealSecretNames),
    ...settingEntries.map(([name]) => environmentNameOf(name)),
  ]);
  const warnings = Object.keys(environment)
    .filter((name) => name.startsWith("SEALPOST_") && !known.has(name))
    .map((name) => `${name} in the environment is not a setting; it has no effect`);
  if (settings.preset !== undefined) warnings.push(presetWarning(settings.preset));
  if (settings.allowInsecureSse) {
    warnings.push(
      "--allow-insecure-sse: bodies for encrypted topics and queues may cross in clear",
    );
  }
  if (settings.allowInsecureSecrets) {
    warnings.push("--allow-insecure-secrets: keys and credentials may cross the network in clear");
  }
  return warnings;
}
