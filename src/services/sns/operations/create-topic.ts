import type { CreateTopicInput, CreateTopicResponse } from "@aws-sdk/client-sns";
import type { Call } from "../../../kernel/call.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { archiveChange } from "../archive.ts";
import { checkDataProtectionPolicy } from "../data-protection.ts";
import { invalidParameter } from "../errors.ts";
import type { SnsDependencies } from "../ports.ts";
import { saveTopicPolicy } from "../save-policy.ts";
import { mergeTags, readTags, requestTagContext, type Tags } from "../tags.ts";
import { checkTopicAttribute, warnWithoutEffect } from "../topic-attributes.ts";
import { defaultTopicPolicy, samePolicy } from "../topic-policy.ts";
import { callScope, type TopicRecord, topicKind, topicReference, topicUses } from "../topics.ts";

type Input = Wire<CreateTopicInput>;
type Output = Wire<CreateTopicResponse>;

/**
 * AWS: CreateTopic. Idempotent by name: with the same attributes and tags, fewer or none it answers
 * the topic that is there; with others it is refused.
 */
export function createTopicOperation(deps: SnsDependencies): Operation<Input, Output> {
  return {
    name: "CreateTopic",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["Name", "Attributes", "Tags"],
      response: ["TopicArn"],
    },
    async resources(input, call) {
      checkName(input);
      const reference = topicReference(callScope(call), input.Name);
      const topic = await topicKind.get(call.records, reference.scope, reference.name);
      const tags = readTags(input.Tags);
      const context = requestTagContext(tags);
      const uses = topicUses(call, reference, topic, context);
      // AWS: tags at creation need sns:TagResource as well.
      const tagging = uses.map((use) => ({ ...use, action: "sns:TagResource" }));
      return context ? [...uses, ...tagging] : uses;
    },
    async handle(input, call) {
      const { DataProtectionPolicy: protection } = input;
      if (protection) checkDataProtectionPolicy(protection);
      const wanted = readAttributes(input.Attributes ?? {});
      const tags = mergeTags({}, readTags(input.Tags));
      const scope = callScope(call);
      const topic = await topicKind.get(call.records, scope, input.Name);
      if (topic) return existing(topic, { ...wanted, protection }, tags);
      return create(deps, call, input.Name, { ...wanted, protection }, tags);
    },
  };
}

/** AWS: `.fifo` and FifoTopic=true come together, whatever is wrong has one text. */
function checkName({ Name, Attributes }: Input): void {
  const fifo = Attributes?.FifoTopic === "true";
  const form = fifo ? /^[A-Za-z0-9_-]{1,251}\.fifo$/ : /^[A-Za-z0-9_-]{1,256}$/;
  if (!form.test(Name)) throw invalidParameter("Topic Name");
}

interface Wanted {
  readonly attributes: Readonly<Record<string, string>>;
  readonly policy: string | undefined;
  /** Data protection policy. */
  readonly protection?: string | undefined;
}

function readAttributes(given: Readonly<Record<string, string>>): Wanted {
  const { Policy, FifoTopic, ...others } = given;
  if (FifoTopic !== undefined && FifoTopic !== "false" && FifoTopic !== "true") {
    throw invalidParameter(`Attributes Reason: FifoTopic: Invalid value [${FifoTopic}]`);
  }
  const fifo = FifoTopic === "true";
  // AWS: FifoTopic=false is fine, and not kept.
  const attributes: [string, string][] = fifo ? [["FifoTopic", "true"]] : [];
  for (const [name, text] of Object.entries(others)) {
    const checked = checkTopicAttribute(name, text, fifo);
    if ("problem" in checked) throw invalidParameter(`Attributes Reason: ${checked.problem}`);
    if (checked.value !== undefined) attributes.push([name, checked.value]);
  }
  return { attributes: Object.fromEntries(attributes), policy: Policy };
}

function existing(topic: TopicRecord, wanted: Wanted, tags: Tags): Outcome<Output> {
  const differs = Object.entries(wanted.attributes).some(
    ([name, value]) => topic.attributes[name] !== value,
  );
  const otherPolicy = wanted.policy !== undefined && !samePolicy(wanted.policy, topic.policy.text);
  const { protection } = wanted;
  const otherProtection =
    protection !== undefined && !samePolicy(protection, topic.dataProtectionPolicy ?? "");
  if (differs || otherPolicy || otherProtection) {
    throw invalidParameter("Attributes Reason: Topic already exists with different attributes");
  }
  if (Object.entries(tags).some(([key, value]) => topic.tags[key] !== value)) {
    throw invalidParameter("Tags Reason: Topic already exists with different tags");
  }
  return { output: { TopicArn: topic.arn } };
}

async function create(
  deps: SnsDependencies,
  call: Call,
  name: string,
  { attributes, policy, protection }: Wanted,
  tags: Tags,
): Promise<Outcome<Output>> {
  const scope = callScope(call);
  const { arn } = topicReference(scope, name);
  const topic: TopicRecord = {
    arn,
    name,
    accountId: scope.accountId,
    region: scope.region,
    attributes,
    policy:
      policy === undefined
        ? defaultTopicPolicy(arn, scope.accountId)
        : await saveTopicPolicy(deps.principals, call.records, policy, "Attributes Reason: "),
    tags,
    dataProtectionPolicy: protection || undefined,
    archiveSinceMs: attributes.ArchivePolicy === undefined ? undefined : call.now,
  };
  return {
    output: { TopicArn: arn },
    commands: [topicKind.put(scope, name, topic), ...archiveChange(undefined, topic)],
    committed: () => warnWithoutEffect(deps.log, arn, attributes),
  };
}
