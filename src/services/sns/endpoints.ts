import { parseArn } from "../../kernel/arn.ts";
import type { SecretBox } from "../../kernel/secrets.ts";
import { invalidParameter } from "./errors.ts";
import type { Protocol, SubscriptionRecord } from "./subscriptions.ts";

/** An endpoint that was checked for its protocol. */
export interface Endpoint {
  readonly protocol: Protocol;
  /** As given, password and all. */
  readonly text: string;
  /** As it may be shown. */
  readonly shown: string;
  /** Owner of a queue or function; undefined: nobody that this server knows. */
  readonly accountId: string | undefined;
}

const endpointBytesMax = 2048;

/** Checks an endpoint. Throws InvalidParameter with AWS's text where one is recorded. */
export function checkEndpoint(protocol: Protocol, text: string, fifoTopic: boolean): Endpoint {
  const plain = { protocol, text, shown: text, accountId: undefined };
  if (Buffer.byteLength(text) > endpointBytesMax) throw invalidParameter("Endpoint");
  switch (protocol) {
    case "sqs":
      return { ...plain, accountId: checkQueue(text, fifoTopic) };
    case "http":
    case "https":
      return { ...plain, shown: checkAddress(protocol, text) };
    case "lambda":
      return { ...plain, accountId: checkArn(text, "lambda", /^function:[\w-]+(:[\w$-]+)?$/) };
    case "firehose":
      checkArn(text, "firehose", /^deliverystream\/[\w.-]+$/);
      return plain;
    case "application":
      checkArn(text, "sns", /^endpoint\/\S+$/);
      return plain;
    case "email":
    case "email-json":
      // AWS?: the text. One address, and nothing that could end a line of a mail's head.
      if (!/^[^\s@<>,;:"()[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}$/.test(text)) {
        throw invalidParameter("Email address");
      }
      return plain;
    case "sms":
      if (!/^\+?[0-9][0-9 ().-]{3,30}$/.test(text)) {
        throw invalidParameter(`Invalid SMS endpoint: ${text}`);
      }
      return plain;
  }
}

/** AWS: a queue by its ARN; the queue itself is not looked up. */
function checkQueue(text: string, fifoTopic: boolean): string {
  const queue = parseArn(text);
  const name = queue?.service === "sqs" && /^\d{12}$/.test(queue.accountId) ? queue.resource : "";
  if (!queue || queue.region === "" || !/^[A-Za-z0-9_-]{1,80}(\.fifo)?$/.test(name)) {
    throw invalidParameter("SQS endpoint ARN");
  }
  if (name.endsWith(".fifo") && !fifoTopic) {
    throw invalidParameter(
      "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard " +
        "SNS topics",
    );
  }
  return queue.accountId;
}

/** AWS?: the texts. */
function checkArn(text: string, service: string, resource: RegExp): string {
  const arn = parseArn(text);
  const name = service === "lambda" ? "Lambda" : service === "sns" ? "Application" : "Firehose";
  if (arn?.service !== service || arn.region === "" || !/^\d{12}$/.test(arn.accountId)) {
    throw invalidParameter(`${name} endpoint ARN`);
  }
  if (!resource.test(arn.resource)) throw invalidParameter(`${name} endpoint ARN`);
  return arn.accountId;
}

/** Answers the address as it may be shown. AWS: the password is masked. */
function checkAddress(protocol: "http" | "https", text: string): string {
  if (!text.startsWith(`${protocol}://`)) {
    throw invalidParameter("Endpoint must match the specified protocol");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const url = /[\u0000-\u0020\u007f]/.test(text) || !URL.canParse(text) ? undefined : new URL(text);
  // AWS?: the text.
  if (!url || url.hostname === "" || url.hash !== "") throw invalidParameter("Endpoint");
  return maskPassword(text);
}

/** An address without the secret in it; whatever is no such address comes back as it is. */
export function maskPassword(text: string): string {
  return text.replace(/^(https?:\/\/[^/?#@:]*):[^/?#]*@/, "$1:****@").replace(
    // A user name alone can be a token.
    /^(https?:\/\/)[^/?#@:]+@/,
    "$1****@",
  );
}

/** The endpoint of a stored subscription, password and all. */
export function openEndpoint(secrets: SecretBox, subscription: SubscriptionRecord): string {
  const { sealedEndpoint, endpoint, arn } = subscription;
  if (sealedEndpoint === undefined) return endpoint;
  return secrets.open(sealedEndpoint, endpointContext(arn)).toString("utf8");
}

/** What the endpoint is stored as. */
export function sealEndpoint(
  secrets: SecretBox,
  subscriptionArn: string,
  { text, shown }: Endpoint,
): Pick<SubscriptionRecord, "endpoint" | "sealedEndpoint"> {
  if (text === shown) return { endpoint: text };
  const sealedEndpoint = secrets.seal(Buffer.from(text, "utf8"), endpointContext(subscriptionArn));
  return { endpoint: shown, sealedEndpoint };
}

function endpointContext(subscriptionArn: string): string {
  return `sns.endpoint ${subscriptionArn}`;
}
