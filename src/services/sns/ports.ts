import type { Query, ResultOf } from "../../kernel/command.ts";
import type { Invoke } from "../../kernel/invoke.ts";
import type { Log } from "../../kernel/log.ts";
import type { Principals } from "../../kernel/policy.ts";
import type { Random } from "../../kernel/random.ts";
import type { Sealer } from "../../kernel/sealer.ts";
import type { SecretBox } from "../../kernel/secrets.ts";

/** What SNS asks of the rest of the server. */
export interface SnsDependencies {
  readonly sealer: Sealer;
  readonly invoke: Invoke;
  readonly signer: NotificationSigner;
  readonly principals: Principals;
  readonly random: Random;
  /** Seals passwords inside endpoints. */
  readonly secrets: SecretBox;
  readonly metrics: SnsMetrics;
  readonly log: Log;
  readonly places: NotificationPlaces;
  readonly digests: DeduplicationDigests;
  /** `https://host:port` for addresses inside deliveries; never taken from a request. */
  readonly publicUrl: () => string;
  /** How long a notification that was given up stays; 0: as in AWS, not at all. */
  readonly undeliveredRetentionMs: number;
  readonly ask: Ask;
  /** Of all threads of this process. */
  readonly fifoTurns: TopicTurns;
  /** Tells the worker that a subscription has something due; service time. */
  readonly retryAt?: (subscriptionArn: string, atMs: number) => void;
  /** Delivery status logs; absent: nobody keeps them. */
  readonly statusLog?: StatusLog;
}

/** Publications of a FIFO topic: one after another for each topic, first come, first served. */
export interface TopicTurns {
  run<T>(topicArn: string, act: () => Promise<T>): Promise<T>;
}

/** Keyed digests of deduplication ids, that of the present key first. */
export interface DeduplicationDigests {
  of(text: string): readonly Uint8Array[];
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
  /** Characters of every signature. */
  readonly signatureChars: number;
  /** A short name of a signature; ASCII. */
  nameOf(version: "1" | "2", text: string): string;
  /** The signature of that name; the text is asked for if it was not made, or forgotten. */
  signed(name: string, text: () => string): Promise<string>;
  /** Makes a signature while nobody waits. */
  ahead(name: string, text: string): void;
  /** Makes or loads the key, so that there is a certificate. */
  prepare(): Promise<void>;
  /** Where receivers get the certificate. Known once something was signed; throws before. */
  certificateUrl(): string;
}

/** AWS: names of the CloudWatch metrics of SNS. */
export type SnsMetric =
  | "NumberOfMessagesPublished"
  | "PublishSize"
  | "NumberOfNotificationsDelivered"
  | "NumberOfNotificationsFailed"
  | "NumberOfNotificationsFilteredOut"
  | "NumberOfNotificationsFilteredOut-MessageAttributes"
  | "NumberOfNotificationsFilteredOut-MessageBody"
  | "NumberOfNotificationsFilteredOut-NoMessageAttributes"
  | "NumberOfNotificationsFilteredOut-InvalidAttributes"
  | "NumberOfNotificationsFilteredOut-InvalidMessageBody"
  | "NumberOfNotificationsRedrivenToDlq"
  | "NumberOfNotificationsFailedToRedriveToDlq";

export interface SnsMetrics {
  /** Adds to a counter of a topic. PublishSize is in bytes. */
  count(topicArn: string, metric: SnsMetric, by: number): void;
}

export const noMetrics: SnsMetrics = { count() {} };

/** Takes what AWS writes into the log groups of a topic. */
export interface StatusLog {
  /** `group`: `sns/<region>/<account>/<topic>`, with `/Failure` behind it for failures. */
  write(group: string, event: object): void;
}

/** A store's answers to questions. */
export type Ask = <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;

/** Carries notifications out of the server. INVARIANT: answers, never throws. */
export interface Carriers {
  http(request: HttpDelivery): Promise<CarrierAnswer>;
  lambda(invocation: LambdaInvocation): Promise<CarrierAnswer>;
  mail(mail: Mail): Promise<CarrierAnswer>;
}

export interface HttpDelivery {
  /** Password and all. */
  readonly url: string;
  /** Free of line breaks: made of ARNs, ids and checked media types. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LambdaInvocation {
  readonly functionArn: string;
  readonly payload: string;
}

export interface Mail {
  readonly to: string;
  readonly fromName: string;
  readonly subject: string;
  readonly text: string;
}

export type CarrierAnswer =
  | { readonly ok: true; readonly statusCode: number; readonly response: string }
  | {
      readonly ok: false;
      readonly code: string;
      readonly text: string;
      /** May pass by itself. */
      readonly retryable: boolean;
      readonly statusCode?: number;
    };

export const servicePrincipal = "sns.amazonaws.com";
