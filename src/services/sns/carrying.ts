import {
  confirmationDocument,
  type Deliverable,
  type QueueContent,
  signedEnvelope,
} from "./deliverable.ts";
import type { Attempt } from "./delivery.ts";
import { effectiveDelivery } from "./delivery-policy.ts";
import { openEndpoint } from "./endpoints.ts";
import { type ConfirmationMessage, subscribeUrl, timestamp, unsubscribeUrl } from "./envelope.ts";
import type { Carriers, HttpDelivery, LambdaInvocation, Mail, SnsDependencies } from "./ports.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";

/** A delivery with everything that it needs, in the form of its endpoint. */
export type Prepared =
  | { readonly kind: "queue"; readonly content: QueueContent }
  | { readonly kind: "http"; readonly request: HttpDelivery }
  | { readonly kind: "lambda"; readonly invocation: LambdaInvocation }
  | { readonly kind: "mail"; readonly mail: Mail };

/** Takes a delivery out of the server. */
export async function carry(
  carriers: Carriers,
  prepared: Exclude<Prepared, { kind: "queue" }>,
): Promise<Attempt> {
  const answer = await (prepared.kind === "http"
    ? carriers.http(prepared.request)
    : prepared.kind === "lambda"
      ? carriers.lambda(prepared.invocation)
      : carriers.mail(prepared.mail));
  if (answer.ok) {
    const { statusCode, response } = answer;
    const status = { statusCode, response: () => response };
    return { delivered: true, commands: [], status };
  }
  const { code, text, retryable, statusCode = 0 } = answer;
  return { delivered: false, failure: { code, text, retryable, statusCode } };
}

type Deps = Pick<SnsDependencies, "publicUrl" | "signer" | "secrets">;
export type Outside = Exclude<Prepared, { kind: "queue" }>;

export async function prepareNotification(
  deps: Deps,
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  message: Deliverable,
): Promise<Outside> {
  const { protocol, arn } = subscription;
  const publicUrl = deps.publicUrl();
  const { notification } = message;
  switch (protocol) {
    case "http":
    case "https": {
      const raw = subscription.rawMessageDelivery;
      const headers: Record<string, string> = {
        ...httpHeaders(topic, subscription, "Notification", notification.messageId),
        "x-amz-sns-subscription-arn": arn,
        ...(raw ? { "x-amz-sns-rawdelivery": "true" } : {}),
      };
      const body = raw ? notification.body : await signedEnvelope(message, arn, publicUrl);
      return {
        kind: "http",
        request: { url: openEndpoint(deps.secrets, subscription), headers, body },
      };
    }
    case "lambda": {
      const payload = await lambdaEvent(message, subscription, publicUrl);
      return { kind: "lambda", invocation: { functionArn: subscription.endpoint, payload } };
    }
    case "email":
    case "email-json": {
      const link = unsubscribeUrl(publicUrl, arn);
      const text =
        protocol === "email-json"
          ? await signedEnvelope(message, arn, publicUrl)
          : `${notification.body}\n\n${mailFooter(link)}`;
      // AWS: the subject of mails without one.
      const subject = notification.subject ?? "AWS Notification Message";
      return { kind: "mail", mail: mailTo(topic, subscription, subject, text) };
    }
    default:
      throw new Error(`nothing carries ${protocol} messages`);
  }
}

export async function prepareConfirmation(
  deps: Deps,
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  message: ConfirmationMessage,
): Promise<Prepared> {
  const publicUrl = deps.publicUrl();
  const { signatureVersion } = topicFacts(topic);
  const document = () => confirmationDocument(deps.signer, message, signatureVersion, publicUrl);
  switch (subscription.protocol) {
    case "http":
    case "https": {
      // AWS: `x-amz-sns-subscription-arn` comes with notifications only.
      const headers = httpHeaders(topic, subscription, message.kind, message.messageId);
      const url = openEndpoint(deps.secrets, subscription);
      return { kind: "http", request: { url, headers, body: await document() } };
    }
    case "email":
    case "email-json": {
      const subject = "AWS Notification - Subscription Confirmation";
      const text = confirmationMail(message, subscribeUrl(publicUrl, message));
      const mail = mailTo(topic, subscription, subject, text);
      // AWS: whatever the display name is, confirmations come from SNS itself.
      return { kind: "mail", mail: { ...mail, fromName: "AWS Notifications" } };
    }
    case "lambda":
      return {
        kind: "lambda",
        invocation: { functionArn: subscription.endpoint, payload: await document() },
      };
    default: {
      const fifo = subscription.endpoint.endsWith(".fifo");
      const ids = { MessageGroupId: message.messageId, MessageDeduplicationId: message.messageId };
      return { kind: "queue", content: { MessageBody: await document(), ...(fifo ? ids : {}) } };
    }
  }
}

/** AWS: the headers of every delivery over http(s). */
function httpHeaders(
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  type: string,
  messageId: string,
): Record<string, string> {
  const { DeliveryPolicy } = topic.attributes;
  const { headerContentType } = effectiveDelivery(DeliveryPolicy, subscription.deliveryPolicy);
  return {
    "x-amz-sns-message-type": type,
    "x-amz-sns-message-id": messageId,
    "x-amz-sns-topic-arn": topic.arn,
    "Content-Type": headerContentType,
    "User-Agent": "Amazon Simple Notification Service Agent",
    "Accept-Encoding": "gzip,deflate",
  };
}

/** AWS: `…Url` is spelled otherwise than in the envelope, and the version always reads 1. */
async function lambdaEvent(
  message: Deliverable,
  { arn }: SubscriptionRecord,
  publicUrl: string,
): Promise<string> {
  const { notification } = message;
  const signed = await message.signature();
  const attributes = Object.entries(notification.attributes ?? {}).map(
    ([name, { Type, Value }]) => [
      name,
      { Type: Type.startsWith("Binary") ? "Binary" : "String", Value },
    ],
  );
  const Sns = {
    Type: "Notification",
    MessageId: notification.messageId,
    TopicArn: notification.topicArn,
    Subject: notification.subject ?? null,
    Message: notification.body,
    Timestamp: timestamp(notification.publishedMs),
    SignatureVersion: "1",
    Signature: signed?.signature,
    SigningCertUrl: signed?.certificateUrl,
    UnsubscribeUrl: unsubscribeUrl(publicUrl, arn),
    MessageAttributes: Object.fromEntries(attributes),
  };
  const record = {
    EventSource: "aws:sns",
    EventVersion: "1.0",
    EventSubscriptionArn: arn,
    Sns,
  };
  return JSON.stringify({ Records: [record] });
}

function mailTo(
  { attributes, name }: TopicRecord,
  { endpoint }: SubscriptionRecord,
  subject: string,
  text: string,
): Mail {
  return { to: endpoint, fromName: attributes.DisplayName ?? name, subject, text };
}

/** AWS?: the texts of mails, in its manner. */
function mailFooter(link: string): string {
  return (
    "--\nIf you wish to stop receiving notifications from this topic, please click or visit the " +
    `link below to unsubscribe:\n${link}\n`
  );
}

function confirmationMail({ kind, topicArn, subscriptionArn }: ConfirmationMessage, link: string) {
  if (kind === "UnsubscribeConfirmation") {
    return (
      `Your subscription below has been deactivated:\n${subscriptionArn}\n\n` +
      `If it was not your intention to deactivate it, visit the link below:\n${link}\n`
    );
  }
  return (
    `You have chosen to subscribe to the topic:\n${topicArn}\n\n` +
    `To confirm this subscription, click or visit the link below (if this was in error no action ` +
    `is necessary):\n${link}\n`
  );
}
