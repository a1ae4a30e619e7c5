import type { PublishInput, PublishResponse } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedMessage } from "../audit.ts";
import { invalidParameter, notAvailableYet } from "../errors.ts";
import { checkMessage } from "../message.ts";
import type { SnsDependencies } from "../ports.ts";
import { publishMessages } from "../publish-messages.ts";
import { topicOperation } from "../topic-operation.ts";
import { topicFacts } from "../topics.ts";

type Input = Wire<PublishInput>;

/** AWS: Publish, to a topic. Phones and platform endpoints are not available yet. */
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
      checkTarget(input);
      return operation.resources(input, call);
    },
  };
}

/** AWS: exactly one target; a topic's ARN may come as TargetArn. */
function checkTarget({ TopicArn, TargetArn, PhoneNumber }: Input): void {
  const targets = [TopicArn, TargetArn, PhoneNumber].filter((target) => target !== undefined);
  if (targets.length === 0) {
    throw invalidParameter("TopicArn or TargetArn Reason: no value for required parameter");
  }
  // AWS?: the text.
  if (targets.length > 1) {
    throw invalidParameter("Only one of TopicArn, TargetArn or PhoneNumber can be given");
  }
  if (PhoneNumber !== undefined) throw notAvailableYet("PhoneNumber", "publishing to phones is");
  if (TargetArn !== undefined && /^arn:[^:]*:sns:[^:]*:[^:]*:endpoint\//.test(TargetArn)) {
    throw invalidParameter("TargetArn Reason: No endpoint found for the target arn specified");
  }
}
