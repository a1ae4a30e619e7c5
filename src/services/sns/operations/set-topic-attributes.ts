import type { SetTopicAttributesInput } from "@aws-sdk/client-sns";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { archiveChange } from "../archive.ts";
import { invalidParameter } from "../errors.ts";
import type { SnsDependencies } from "../ports.ts";
import { saveTopicPolicy } from "../save-policy.ts";
import { subscriptionsOf } from "../subscriptions.ts";
import { checkTopicAttribute, warnWithoutEffect } from "../topic-attributes.ts";
import { topicOperation } from "../topic-operation.ts";
import { messageBytesMaxDefault, type TopicRecord, topicFacts, topicKind } from "../topics.ts";
import { largeMessageProtocols, tooLargeFor } from "./subscribe.ts";

/** AWS: SetTopicAttributes; a change of the key holds for what is published from then on. */
export function setTopicAttributesOperation(
  deps: SnsDependencies,
): Operation<Wire<SetTopicAttributesInput>, object> {
  return topicOperation<Wire<SetTopicAttributesInput>, object>({
    name: "SetTopicAttributes",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: ["TopicArn", "AttributeName", "AttributeValue"],
    },
    topicArn: ({ TopicArn }) => TopicArn,
    async handle({ AttributeName: name, AttributeValue = "" }, call, topic) {
      const changed = await change(deps, call, topic, name, AttributeValue);
      return {
        output: {},
        commands: [topicKind.put(topic, topic.name, changed), ...archiveChange(topic, changed)],
        committed: () => warnWithoutEffect(deps.log, topic.arn, { [name]: AttributeValue }),
      };
    },
  });
}

async function change(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  name: string,
  text: string,
): Promise<TopicRecord> {
  if (name === "Policy") {
    const policy = await saveTopicPolicy(deps.principals, call.records, text);
    return { ...topic, policy };
  }
  const checked = checkTopicAttribute(name, text, topicFacts(topic).rules.fifo);
  if ("problem" in checked) throw invalidParameter(checked.problem);
  const { [name]: _before, ...others } = topic.attributes;
  const { value } = checked;
  if (name === "MaximumMessageSize") await checkLargeMessages(call, topic, Number(value));
  const attributes = value === undefined ? others : { ...others, [name]: value };
  if (name !== "ArchivePolicy") return { ...topic, attributes };
  const archiveSinceMs = value === undefined ? undefined : (topic.archiveSinceMs ?? call.now);
  return { ...topic, attributes, archiveSinceMs };
}

/** AWS: large messages are for those alone that can carry them; pending subscriptions count. */
async function checkLargeMessages(call: Call, topic: TopicRecord, bytes: number): Promise<void> {
  if (bytes <= messageBytesMaxDefault) return;
  const subscriptions = await subscriptionsOf(call.records, topic);
  const protocols = new Set(subscriptions.map(({ value }) => value.protocol));
  const unfit = [...protocols].filter((each) => !largeMessageProtocols.includes(each));
  if (unfit.length > 0) throw tooLargeFor(unfit.sort().join(", "));
}
