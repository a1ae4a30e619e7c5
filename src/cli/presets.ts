import type { RootCredentials, SettingName } from "../config.ts";
import { isLoopbackHost } from "../gateway/addresses.ts";

/** What projects made for LocalStack sign with: a real credential, whose secret everybody knows. */
export const localstackCredentials: RootCredentials = Object.freeze({
  accessKeyId: "test",
  secretAccessKey: "test",
});

const localstackHost = "localhost.localstack.cloud";

/**
 * What a preset sets where nobody says anything else. `given` is what the caller did say about a
 * setting. A fresh folder is made only for a preset without a data folder.
 */
export function presetDefaults(
  given: (name: SettingName) => unknown,
  freshFolder: (() => string) | undefined,
): Partial<Record<SettingName, unknown>> {
  if (given("preset") !== "localstack") return {};
  const region = given("region") ?? "us-east-1";
  const names = [localstackHost, `*.${localstackHost}`, `*.${region}.${localstackHost}`];
  const data = given("data") === undefined ? freshFolder?.() : undefined;
  return {
    account: "000000000000",
    allowInsecureSse: true,
    // A container's peers are other machines; on loopback nothing has to be relaxed.
    allowInsecureSecrets: !isLoopbackHost(String(given("host") ?? "127.0.0.1")),
    // Subscribers of such projects are on this machine or in the next container.
    allowPrivateEndpoints: true,
    ...(given("tlsCert") === undefined && { tlsName: names }),
    ...(data !== undefined && { data }),
  };
}

export function presetWarning(preset: string): string {
  return (
    `--preset ${preset}: for tests only. Whoever reaches this port is root with the access key ` +
    "test (secret test), or of any account with its 12 digits as access key"
  );
}
