import type { Call } from "../../kernel/call.ts";
import type { Json } from "../../kernel/json.ts";
import type { EncryptionContext } from "../../kernel/keyvault.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";

const topicContext = "aws:sns:topicArn";

/**
 * A topic that opens what was sealed for it, to deliver it later: the publisher had the right to
 * use the key, and a delivery at once asks the key for nothing more. So the topic's own session may
 * decrypt under its own encryption context, also where the key policy does not name SNS (that of
 * `alias/aws/sns` cannot). An explicit denial still denies, and so does the key's state.
 *
 * AWS?: how SNS keeps this right is not documented; the effect is.
 */
export function allowTopicSession(
  use: ResourceUse,
  context: EncryptionContext | undefined,
  { caller }: Call,
): ResourceUse {
  if (caller.kind !== "service" || caller.service !== "sns.amazonaws.com") return use;
  const pairs = Object.entries(context ?? {});
  const own = pairs.length === 1 && pairs[0]?.[0] === topicContext;
  if (!own || pairs[0]?.[1] !== caller.sourceArn || use.policy === undefined) return use;
  return { ...use, policy: withSession(use.policy) };
}

/** The compiled form of a policy hangs on its object: one extended policy for each. */
const extended = new WeakMap<AttachedPolicy, AttachedPolicy>();

function withSession(policy: AttachedPolicy): AttachedPolicy {
  let found = extended.get(policy);
  if (found === undefined) {
    const document = JSON.parse(policy.text) as { readonly Statement: Json };
    const statements = Array.isArray(document.Statement)
      ? document.Statement
      : [document.Statement];
    const text = JSON.stringify({ ...document, Statement: [...statements, session] });
    found = Object.freeze({ text, principalIds: policy.principalIds });
    extended.set(policy, found);
  }
  return found;
}

const session = {
  Sid: "TopicSession",
  Effect: "Allow",
  Principal: { Service: "sns.amazonaws.com" },
  Action: "kms:Decrypt",
  Resource: "*",
} as const;
