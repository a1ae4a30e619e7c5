import type { PutDataProtectionPolicyInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkDataProtectionPolicy } from "../data-protection.ts";
import { topicOperation } from "../topic-operation.ts";
import { topicKind } from "../topics.ts";

type Input = Wire<PutDataProtectionPolicyInput>;

/** AWS: PutDataProtectionPolicy; an empty text takes the policy away. */
export function putDataProtectionPolicyOperation(): Operation<Input, object> {
  return topicOperation<Input, object>({
    name: "PutDataProtectionPolicy",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: ["ResourceArn", "DataProtectionPolicy"],
    },
    topicArn: ({ ResourceArn }) => ResourceArn,
    parameter: "ResourceArn",
    handle({ DataProtectionPolicy: text }, _call, topic) {
      if (text !== "") checkDataProtectionPolicy(text);
      const changed = { ...topic, dataProtectionPolicy: text === "" ? undefined : text };
      return { output: {}, commands: [topicKind.put(topic, topic.name, changed)] };
    },
  });
}
