import { Refusal } from "../../kernel/errors.ts";
import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import { addPermissionOperation } from "./operations/add-permission.ts";
import { confirmSubscriptionOperation } from "./operations/confirm-subscription.ts";
import { createTopicOperation } from "./operations/create-topic.ts";
import { deleteTopicOperation } from "./operations/delete-topic.ts";
import { getDataProtectionPolicyOperation } from "./operations/get-data-protection-policy.ts";
import { getSubscriptionAttributesOperation } from "./operations/get-subscription-attributes.ts";
import { getTopicAttributesOperation } from "./operations/get-topic-attributes.ts";
import { listSubscriptionsOperation } from "./operations/list-subscriptions.ts";
import { listSubscriptionsByTopicOperation } from "./operations/list-subscriptions-by-topic.ts";
import { listTagsForResourceOperation } from "./operations/list-tags-for-resource.ts";
import { listTopicsOperation } from "./operations/list-topics.ts";
import { phoneNumberOperations } from "./operations/phone-numbers.ts";
import { platformApplicationOperations } from "./operations/platform-applications.ts";
import { platformEndpointOperations } from "./operations/platform-endpoints.ts";
import { publishOperation } from "./operations/publish.ts";
import { publishBatchOperation } from "./operations/publish-batch.ts";
import { putDataProtectionPolicyOperation } from "./operations/put-data-protection-policy.ts";
import { removePermissionOperation } from "./operations/remove-permission.ts";
import { setSubscriptionAttributesOperation } from "./operations/set-subscription-attributes.ts";
import { setTopicAttributesOperation } from "./operations/set-topic-attributes.ts";
import { smsAttributeOperations } from "./operations/sms-attributes.ts";
import { subscribeOperation } from "./operations/subscribe.ts";
import { tagResourceOperation } from "./operations/tag-resource.ts";
import { unsubscribeOperation } from "./operations/unsubscribe.ts";
import { untagResourceOperation } from "./operations/untag-resource.ts";
import type { SnsDependencies } from "./ports.ts";

/** SNS, but for the sandbox and the numbers of a phone network. */
export function createSns(deps: SnsDependencies): ServiceTable {
  const operations = [
    createTopicOperation(deps),
    deleteTopicOperation(),
    getTopicAttributesOperation(),
    setTopicAttributesOperation(deps),
    listTopicsOperation(),
    tagResourceOperation(),
    untagResourceOperation(),
    listTagsForResourceOperation(),
    addPermissionOperation(),
    removePermissionOperation(),
    subscribeOperation(deps),
    confirmSubscriptionOperation(),
    unsubscribeOperation(deps),
    listSubscriptionsOperation(),
    listSubscriptionsByTopicOperation(),
    getSubscriptionAttributesOperation(),
    setSubscriptionAttributesOperation(deps),
    getDataProtectionPolicyOperation(),
    putDataProtectionPolicyOperation(),
    ...phoneNumberOperations(),
    ...smsAttributeOperations(),
    ...platformApplicationOperations(),
    ...platformEndpointOperations(deps),
    publishOperation(deps),
    publishBatchOperation(deps),
  ];
  return {
    name: "sns",
    eventSource: "sns.amazonaws.com",
    operations: operationTable(operations),
    accessDenied: {
      code: "AuthorizationErrorException",
      status: 403,
      // AWS: `SNS:Publish` in texts, whatever the policy says.
      printAction: (action) => action.replace(/^sns:/, "SNS:"),
    },
    invalidSecurity: (message) => new Refusal("InvalidSecurityException", message),
  };
}
