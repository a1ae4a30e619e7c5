import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Outcome, ResourceUse } from "../../kernel/operation.ts";
import type { RecordScope } from "../../kernel/records.ts";
import type { SealingPlace } from "../../kernel/sealer.ts";
import { invalidParameter } from "./errors.ts";
import type { CheckedMessage } from "./message.ts";
import { placed } from "./notification-place.ts";
import type { SnsDependencies } from "./ports.ts";
import { applicationIdOf, applicationKind, endpointKind, endpointReference } from "./push.ts";
import { callScope, messageBytesMaxDefault } from "./topics.ts";
import { firstState, putUndelivered } from "./undelivered.ts";

/** A publication that names its receiver instead of a topic: a device, or a phone. */
export interface DirectTarget {
  readonly protocol: "application" | "sms";
  /** ARN of the endpoint, or the phone's number. */
  readonly endpoint: string;
  /** Where its messages wait: an ARN, made up for a phone. */
  readonly arn: string;
  readonly scope: RecordScope;
  readonly use: ResourceUse;
}

const endpointForm = /^arn:[^:]*:sns:[^:]*:[^:]*:endpoint\//;

/** undefined: the ARN is that of a topic, or of nothing. */
export function endpointTarget(call: Call, targetArn: string): DirectTarget | undefined {
  if (!endpointForm.test(targetArn)) return undefined;
  const { arn, scope } = endpointReference(call, targetArn, "TargetArn");
  const use = { arn, accountId: scope.accountId };
  return { protocol: "application", endpoint: arn, arn, scope, use };
}

/** Throws InvalidParameter for what is no phone number. */
export function phoneTarget(call: Call, number: string): DirectTarget {
  checkPhoneNumber(number);
  const scope = callScope(call);
  const endpoint = `+${number.replace(/\D/g, "")}`;
  const arn = formatArn("sns", scope.region, scope.accountId, `phone/${endpoint}`);
  // AWS: a policy about phones is one about `*`.
  const use = { arn: endpoint, accountId: scope.accountId };
  return { protocol: "sms", endpoint, arn, scope, use };
}

export function checkPhoneNumber(text: string): void {
  if (/^\+?[0-9][0-9 ().-]{3,30}$/.test(text)) return;
  throw invalidParameter(`PhoneNumber Reason: ${text} is not valid to publish to`);
}

/** Neither devices nor phones have anything of a FIFO topic. */
export const directRules = {
  fifo: false,
  contentBasedDeduplication: false,
  deduplicatesByGroup: false,
} as const;

/**
 * Seals the message into the outbox: nobody here carries it further. Throws InvalidParameter where
 * there is no such device, EndpointDisabled, PlatformApplicationDisabled.
 */
export async function publishDirect(
  deps: SnsDependencies,
  call: Call,
  target: DirectTarget,
  message: CheckedMessage,
): Promise<Outcome<{ readonly MessageId: string }>> {
  if (message.sizeBytes > messageBytesMaxDefault) throw invalidParameter("Message too long");
  if (target.protocol === "application") await checkEndpoint(call, target);
  const platform = target.arn.split("/")[1] ?? "";
  const body = message.parts?.get(target.protocol === "sms" ? "sms" : platform) ?? message.body;
  const place = directPlace(target);
  const sealed = await deps.sealer.seal(call, place, [Buffer.from(body, "utf8")]);
  const [envelope] = sealed.sealed;
  if (!envelope) throw new Error("the sealer answers one sealed body for each body");
  const messageId = deps.random.uuid();
  const { subject, attributes } = message;
  const notification = {
    ...{ messageId, topicArn: target.arn, subject, body, attributes, publishedMs: call.now },
    ...{ groupId: undefined, deduplicationId: undefined, sequenceNumber: undefined },
  };
  const owner = { arn: target.arn, ...target.scope };
  const kept = firstState(target.protocol, call.now);
  const put = putUndelivered(owner, target, notification, envelope, kept);
  return {
    output: { MessageId: messageId },
    commands: [...sealed.commands, placed(deps.places, put)],
    committed: () => sealed.stored(),
  };
}

/** What was sent to nobody's topic is sealed under a data key of the installation. */
function directPlace({ arn, scope }: Pick<DirectTarget, "arn" | "scope">): SealingPlace {
  return { service: "sns", arn, ...scope, encryption: { mode: "installation" } };
}

/** Where a row of the outbox belongs that names its receiver itself; undefined: a topic's. */
export function directOf(topicArn: string) {
  const arn = parseArn(topicArn);
  const { resource = "", accountId = "", region = "" } = arn ?? {};
  const phone = resource.startsWith("phone/");
  if (!phone && !resource.startsWith("endpoint/")) return undefined;
  return {
    protocol: phone ? "sms" : "application",
    endpoint: phone ? resource.slice("phone/".length) : topicArn,
    place: directPlace({ arn: topicArn, scope: { accountId, region } }),
  } as const;
}

async function checkEndpoint(call: Call, target: DirectTarget): Promise<void> {
  const { scope, id } = endpointReference(call, target.arn, "TargetArn");
  const endpoint = await endpointKind.get(call.records, scope, id);
  if (!endpoint) {
    throw invalidParameter("TargetArn Reason: No endpoint found for the target arn specified");
  }
  const application = await applicationKind.get(call.records, scope, applicationIdOf(id));
  if (application?.attributes.Enabled === "false") {
    throw new Refusal("PlatformApplicationDisabledException", "Platform application is disabled");
  }
  if (endpoint.attributes.Enabled === "false") {
    throw new Refusal("EndpointDisabledException", "Endpoint is disabled");
  }
}
