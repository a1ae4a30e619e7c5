import type { PublishInput, PublishResponse } from "@aws-sdk/client-sns";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedMessage, hidden } from "../audit.ts";
import {
  type DirectTarget,
  directRules,
  endpointTarget,
  phoneTarget,
  publishDirect,
} from "../direct.ts";
import { invalidParameter } from "../errors.ts";
import { checkMessage } from "../message.ts";
import type { SnsDependencies } from "../ports.ts";
import { publishMessages } from "../publish-messages.ts";
import { topicOperation } from "../topic-operation.ts";
import { topicFacts } from "../topics.ts";

type Input = Wire<PublishInput>;

/** AWS: Publish, to a topic, a device or a phone. */
export function publishOperation(deps: SnsDependencies): Operation<Input, Wire<PublishResponse>> {
  const operation = topicOperation<Input, Wire<PublishResponse>>({
    name: "Publish",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: (input) => ({
        ...(input.TopicArn === undefined ? {} : { topicArn: input.TopicArn }),
        ...(input.TargetArn === undefined ? {} : { targetArn: input.TargetArn }),
        ...(input.PhoneNumber === undefined ? {} : { phoneNumber: hidden }),
        ...auditedMessage(input),
      }),
      response: ["MessageId", "SequenceNumber"],
    },
    topicArn: ({ TopicArn, TargetArn }) => TopicArn ?? TargetArn ?? "",
    async handle(input, call, topic) {
      const { rules, messageBytesMax } = topicFacts(topic);
      const message = checkMessage(input, "messageAttributes", rules);
      if (message.sizeBytes > messageBytesMax) throw invalidParameter("Message too long");
      const { answers, commands, committed } = await publishMessages(deps, call, topic, [message]);
      return { output: answers[0] ?? { MessageId: "" }, commands, committed };
    },
  });
  return {
    ...operation,
    resources(input, call) {
      const direct = directTarget(input, call);
      return direct ? [direct.use] : operation.resources(input, call);
    },
    handle(input, call) {
      const direct = directTarget(input, call);
      if (!direct) return operation.handle(input, call);
      const message = checkMessage(input, "messageAttributes", directRules);
      return publishDirect(deps, call, direct, message);
    },
  };
}

/** AWS: exactly one target; a topic's ARN may come as TargetArn. undefined: a topic. */
function directTarget(input: Input, call: Call): DirectTarget | undefined {
  const { TopicArn, TargetArn, PhoneNumber } = input;
  const targets = [TopicArn, TargetArn, PhoneNumber].filter((target) => target !== undefined);
  if (targets.length === 0) {
    throw invalidParameter("TopicArn or TargetArn Reason: no value for required parameter");
  }
  // AWS?: the text.
  if (targets.length > 1) {
    throw invalidParameter("Only one of TopicArn, TargetArn or PhoneNumber can be given");
  }
  if (PhoneNumber !== undefined) return phoneTarget(call, PhoneNumber);
  return TargetArn === undefined ? undefined : endpointTarget(call, TargetArn);
}
