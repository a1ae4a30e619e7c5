import type { Call } from "../../kernel/call.ts";
import type { ConditionContext, Operation, Outcome } from "../../kernel/operation.ts";
import { topicDoesNotExist } from "./errors.ts";
import {
  authorisedTopic,
  findTopic,
  parseTopicArn,
  type TopicRecord,
  type TopicReference,
  topicUses,
} from "./topics.ts";

/** An operation on one existing topic. */
export interface TopicOperation<I, O>
  extends Pick<Operation<I, O>, "name" | "action" | "access" | "audit"> {
  /** The ARN that the input names. */
  readonly topicArn: (input: I) => string;
  /** Name of that parameter in error texts; default `TopicArn`. */
  readonly parameter?: string;
  /** Refusal for a missing topic; default NotFound. */
  readonly missing?: () => Error;
  /** Condition keys of the request. */
  readonly context?: (input: I) => ConditionContext | undefined;
  handle(input: I, call: Call, topic: TopicRecord): Promise<Outcome<O>> | Outcome<O>;
}

/** Fills in what all of them share: the ARN is checked, the topic must exist, its policy speaks. */
export function topicOperation<I, O>(operation: TopicOperation<I, O>): Operation<I, O> {
  const { name, action, access, audit, parameter, missing = topicDoesNotExist } = operation;
  const reference = (input: I, call: Call): TopicReference =>
    parseTopicArn(call, operation.topicArn(input), parameter);
  return {
    name,
    action,
    access,
    audit,
    async resources(input, call) {
      const topic = reference(input, call);
      const found = await findTopic(call, topic, missing);
      return topicUses(call, topic, found, operation.context?.(input));
    },
    handle: async (input, call) =>
      operation.handle(input, call, await authorisedTopic(call, reference(input, call), missing)),
  };
}
