import type { Call } from "../../kernel/call.ts";
import { newPlace } from "../../kernel/kept.ts";
import type { ConditionContext, Operation, Outcome } from "../../kernel/operation.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
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
  handle(input: I, call: Call, topic: TopicRecord): Soon<Outcome<O>>;
}

/** INVARIANT: what was authorised is what is used, in one attempt at a call. */
const authorised = newPlace<TopicRecord>();

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
    resources(input, call) {
      const named = reference(input, call);
      return soon(findTopic(call, named, missing), (topic) => {
        if (topic) authorised.keep(call, topic);
        return topicUses(call, named, topic, operation.context?.(input));
      });
    },
    handle(input, call) {
      const known = authorised.find(call);
      if (known) return operation.handle(input, call, known);
      return soon(authorisedTopic(call, reference(input, call), missing), (topic) =>
        operation.handle(input, call, topic),
      );
    },
  };
}
