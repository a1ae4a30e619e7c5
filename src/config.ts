import { auditSettings } from "./config-audit.ts";
import { parseEndpoint } from "./config-endpoints.ts";
import { checkLambdaEndpoint } from "./delivery/lambda.ts";
import { checkSmtpUrl } from "./delivery/smtp.ts";
import { checkDeliveryAllow } from "./delivery/targets.ts";
import { addressSet } from "./gateway/addresses.ts";
import { type SealSecrets, sealFlags } from "./seals/flags.ts";

/**
 * Every setting once. Flag, environment form, key in `sealpost.config.json`, help and the reference
 * page derive from this table: `publicUrl` is `--public-url` and `SEALPOST_PUBLIC_URL`.
 */
export interface SettingSpec {
  readonly kind: "text" | "integer" | "boolean" | "list";
  /** Of the values of a list that is given as one text; default a comma. */
  readonly separator?: string;
  /** What stands for the value in help: `DIR`. */
  readonly value?: string;
  readonly default?: string | number | boolean;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** Throws Error with the reason if one value is not well-formed. */
  readonly check?: (text: string) => void;
  readonly description: string;
}

export const configFileName = "sealpost.config.json";

export const settingsTable = {
  data: { kind: "text", value: "DIR", default: "./.sealpost", description: "data folder" },
  host: {
    kind: "text",
    value: "HOST",
    default: "127.0.0.1",
    check: matches(/^[A-Za-z0-9.:_-]{1,253}$/, "a host name or address"),
    description: "address to listen on",
  },
  port: {
    kind: "integer",
    value: "PORT",
    default: 4566,
    min: 0,
    max: 65535,
    description: "port for HTTPS and HTTP alike; 0 picks a free one",
  },
  store: {
    kind: "text",
    value: "STORE",
    default: "sqlite",
    check: matches(/^(sqlite|postgres(ql)?:\/\/.+)$/, "`sqlite` or a postgres:// address"),
    description: "sqlite, or postgres://… for a shared database",
  },
  threads: {
    kind: "integer",
    value: "N",
    default: 1,
    min: 1,
    max: 16,
    description: "gateway threads that share the port, with the embedded store",
  },
  region: {
    kind: "text",
    value: "REGION",
    default: "us-east-1",
    check: matches(/^[a-z0-9-]{1,64}$/, "a region name"),
    description: "region that `sealpost env` names; requests may use any",
  },
  account: {
    kind: "text",
    value: "ID",
    default: "123456789012",
    check: matches(/^\d{12}$/, "an account id of 12 digits"),
    description: "operator account, fixed at the first start",
  },
  clock: {
    kind: "text",
    value: "CLOCK",
    default: "system",
    choices: ["system", "virtual"],
    description: "service clock; virtual only on loopback and on a folder made for it",
  },
  ...sealFlags,
  user: {
    kind: "text",
    value: "USER",
    description: "user that a server becomes which was started as root for --key-user",
  },
  keyUser: {
    kind: "text",
    value: "USER",
    description: "user of the key process, whose alone the root key or passphrase file is",
  },
  publicUrl: {
    kind: "text",
    value: "URL",
    check: checkUrl,
    description: "address for links in deliveries and mails (default the HTTPS address)",
  },
  logLevel: {
    kind: "text",
    value: "LEVEL",
    default: "info",
    choices: ["debug", "info", "warn", "error"],
    description: "least level that is logged",
  },
  logFormat: {
    kind: "text",
    value: "FORMAT",
    default: "pretty",
    choices: ["pretty", "json"],
    description: "form of the log on standard error",
  },
  allowInsecureSse: {
    kind: "boolean",
    description: "accept plain HTTP for topics and queues with SSE-KMS (unsafe)",
  },
  allowInsecureSecrets: {
    kind: "boolean",
    description: "accept KMS, IAM, STS and admin calls without TLS from other machines (unsafe)",
  },
  tlsOnly: { kind: "boolean", description: "refuse plain HTTP" },
  trustProxy: {
    kind: "list",
    value: "CIDR",
    check: (block) => void addressSet([block]),
    description: "believe X-Forwarded-* headers from these addresses (repeatable)",
  },
  tlsName: {
    kind: "list",
    value: "NAME",
    check: matches(/^(\*\.)?[A-Za-z0-9.:_-]{1,253}$/, "a host name or address"),
    description: "further name or address in the server certificate (repeatable)",
  },
  tlsCert: { kind: "text", value: "PATH", description: "own certificate chain (PEM)" },
  tlsKey: { kind: "text", value: "PATH", description: "private key of --tls-cert (PEM)" },
  openMetrics: { kind: "boolean", description: "serve metrics unsigned on every host" },
  preset: {
    kind: "text",
    value: "NAME",
    choices: ["localstack"],
    description: "what projects made for that emulator expect; loopback or container only (unsafe)",
  },
  init: {
    kind: "text",
    value: "DIR",
    description: "run the executable files of this folder after the start, in order of name",
  },
  ...auditSettings,
  kmsQuotas: {
    kind: "text",
    value: "off|aws",
    default: "off",
    check: matches(
      /^(off|aws(,[A-Za-z]+(:[A-Z0-9_]+)?=\d{1,9}(\.\d{1,3})?)*)$/,
      "`off`, `aws`, or `aws,GROUP=PER_SECOND,…`",
    ),
    description: "request quotas of KMS; `aws,symmetric=100` changes one",
  },
  sendNeedsDecrypt: {
    kind: "boolean",
    description:
      "who sends to a queue with SSE-KMS needs kms:Decrypt too, as AWS had it until 2024",
  },
  dataKeyAuthorization: {
    kind: "text",
    value: "cached|always",
    default: "cached",
    choices: ["cached", "always"],
    description:
      "decide the right to a held data key once in its period, as AWS does, or at each use",
  },
  vpcEndpoint: {
    kind: "list",
    value: "SPEC",
    separator: ";",
    check: (text) => void parseEndpoint(text),
    description:
      "private endpoint vpce-ID=HOST:PORT[,policy=FILE][,vpc=vpc-ID] (repeatable; in the " +
      "environment separated by semicolons)",
  },
  noPublic: { kind: "boolean", description: "listen on the private endpoints only" },
  lambdaEndpoint: {
    kind: "list",
    value: "URL",
    check: checkLambdaEndpoint,
    description: "Lambda Invoke API for function subscriptions; ARN=URL for one function",
  },
  deliveryAllow: {
    kind: "list",
    value: "CIDR|HOST:PORT",
    check: checkDeliveryAllow,
    description:
      "private target that may be reached: endpoints, functions, mail, buckets, identity providers (repeatable)",
  },
  allowPrivateEndpoints: {
    kind: "boolean",
    description: "let all of them be at private addresses (unsafe where strangers may subscribe)",
  },
  smtp: {
    kind: "text",
    value: "URL",
    check: checkSmtpUrl,
    description: "mail server for e-mail subscriptions: smtp://user:password@host?from=address",
  },
  snsCertHost: {
    kind: "text",
    value: "NAME",
    check: matches(/^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/, "a host name"),
    description: "host that SigningCertURL names, such as sns.us-east-1.amazonaws.com",
  },
  undeliveredRetention: {
    kind: "text",
    value: "PERIOD",
    default: "4d",
    check: matches(/^\d{1,9}[smhdwy]?$/, "a period such as 4d or 12h; 0 for none"),
    description: "how long given-up notifications are kept; 0 drops them as AWS does",
  },
} as const satisfies Record<string, SettingSpec>;

type Table = typeof settingsTable;
export type SettingName = keyof Table;
type ValueOf<S> = S extends { choices: readonly (infer C)[] }
  ? C | (S extends { default: string } ? never : undefined)
  : S extends { kind: "integer" }
    ? number
    : S extends { kind: "boolean" }
      ? boolean
      : S extends { kind: "list" }
        ? readonly string[]
        : S extends { default: string }
          ? string
          : string | undefined;
type TableSettings = {
  readonly [K in SettingName]: ValueOf<Table[K]>;
};

/** The settings of one run, frozen. Paths are absolute. */
export interface Settings extends TableSettings {
  readonly sealFile: string;
  /** What opens the seal, from the environment. Secrets: never log the settings. */
  readonly sealSecrets: SealSecrets;
  /** SEALPOST_ROOT_ACCESS_KEY_ID / _SECRET_ACCESS_KEY. A secret: never log the settings. */
  readonly rootCredentials: RootCredentials | undefined;
  /** SEALPOST_TRAIL_ACCESS_KEY_ID / _SECRET_ACCESS_KEY, for --trail-endpoint. A secret. */
  readonly trailCredentials: RootCredentials | undefined;
  /** SEALPOST_LAMBDA_ACCESS_KEY_ID / _SECRET_ACCESS_KEY: who invokes functions. A secret. */
  readonly lambdaCredentials: RootCredentials | undefined;
  /** What the operator should be told at start: unsafe flags, unknown environment names. */
  readonly warnings: readonly string[];
}

export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Settings that cannot be used; the command line answers it with exit code 2. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** `publicUrl` → `--public-url`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `publicUrl` → `SEALPOST_PUBLIC_URL`. */
export function environmentNameOf(name: string): string {
  return `SEALPOST_${flagOf(name).slice(2).replaceAll("-", "_").toUpperCase()}`;
}

export const settingEntries = Object.entries(settingsTable) as readonly (readonly [
  SettingName,
  SettingSpec,
])[];

function matches(pattern: RegExp, what: string): (text: string) => void {
  return (text) => {
    if (!pattern.test(text)) throw new Error(`must be ${what}`);
  };
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new Error("must be an http:// or https:// address");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Error("must hold no user, query or fragment");
  }
}
