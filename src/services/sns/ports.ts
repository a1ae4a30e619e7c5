import type { Query, ResultOf } from "../../kernel/command.ts";
import type { Invoke } from "../../kernel/invoke.ts";
import type { Log } from "../../kernel/log.ts";
import type { Principals } from "../../kernel/policy.ts";
import type { Random } from "../../kernel/random.ts";
import type { Sealer } from "../../kernel/sealer.ts";

/** What SNS asks of the rest of the server. */
export interface SnsDependencies {
  readonly sealer: Sealer;
  readonly invoke: Invoke;
  readonly signer: NotificationSigner;
  readonly principals: Principals;
  readonly random: Random;
  readonly metrics: SnsMetrics;
  readonly log: Log;
  readonly places: NotificationPlaces;
  /** `https://host:port` for addresses inside deliveries; never taken from a request. */
  readonly publicUrl: () => string;
  /** Tells the worker that redelivers when something is due; service time. */
  readonly retryAt?: (atMs: number) => void;
}

/** Authenticates where a stored notification belongs: one that was moved by hand does not open. */
export interface NotificationPlaces {
  make(subscriptionArn: string, messageId: string, envelope: Uint8Array): Uint8Array;
  verify(
    subscriptionArn: string,
    messageId: string,
    envelope: Uint8Array,
    mac: Uint8Array,
  ): boolean;
}

/** Signs the text of a notification, so that receivers can tell where it came from. */
export interface NotificationSigner {
  /** Base64 RSA PKCS#1 v1.5 signature: version 1 with SHA-1, version 2 with SHA-256. */
  sign(version: "1" | "2", text: string): Promise<string>;
  /** Where receivers get the certificate. Known once something was signed; throws before. */
  certificateUrl(): string;
}

/** AWS: names of the CloudWatch metrics of SNS. */
export type SnsMetric =
  | "NumberOfMessagesPublished"
  | "PublishSize"
  | "NumberOfNotificationsDelivered"
  | "NumberOfNotificationsFailed";

export interface SnsMetrics {
  /** Adds to a counter. PublishSize is in bytes. */
  count(metric: SnsMetric, by: number): void;
}

export const noMetrics: SnsMetrics = { count() {} };

/** A store's answers to questions. */
export type Ask = <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;

export const servicePrincipal = "sns.amazonaws.com";
