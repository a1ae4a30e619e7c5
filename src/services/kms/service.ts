import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { cancelKeyDeletion } from "./operations/cancel-key-deletion.ts";
import { createAlias } from "./operations/create-alias.ts";
import { createKey } from "./operations/create-key.ts";
import { decrypt } from "./operations/decrypt.ts";
import { deleteAlias } from "./operations/delete-alias.ts";
import { describeKey } from "./operations/describe-key.ts";
import { disableKey } from "./operations/disable-key.ts";
import { disableKeyRotation } from "./operations/disable-key-rotation.ts";
import { enableKey } from "./operations/enable-key.ts";
import { enableKeyRotation } from "./operations/enable-key-rotation.ts";
import { encrypt } from "./operations/encrypt.ts";
import { generateDataKey } from "./operations/generate-data-key.ts";
import { generateDataKeyWithoutPlaintext } from "./operations/generate-data-key-without-plaintext.ts";
import { generateRandom } from "./operations/generate-random.ts";
import { getKeyPolicy } from "./operations/get-key-policy.ts";
import { getKeyRotationStatus } from "./operations/get-key-rotation-status.ts";
import { listAliases } from "./operations/list-aliases.ts";
import { listKeyPolicies } from "./operations/list-key-policies.ts";
import { listKeys } from "./operations/list-keys.ts";
import { listResourceTags } from "./operations/list-resource-tags.ts";
import { putKeyPolicy } from "./operations/put-key-policy.ts";
import { reEncrypt } from "./operations/re-encrypt.ts";
import { scheduleKeyDeletion } from "./operations/schedule-key-deletion.ts";
import { tagResource } from "./operations/tag-resource.ts";
import { untagResource } from "./operations/untag-resource.ts";
import { updateAlias } from "./operations/update-alias.ts";
import { updateKeyDescription } from "./operations/update-key-description.ts";

/** The key management service: symmetric keys with real material. */
export function createKms(dependencies: KmsDependencies): ServiceTable {
  const operations = [
    createKey(dependencies),
    describeKey(dependencies),
    listKeys(),
    updateKeyDescription(dependencies),
    enableKey(dependencies),
    disableKey(dependencies),
    scheduleKeyDeletion(dependencies),
    cancelKeyDeletion(dependencies),
    createAlias(dependencies),
    updateAlias(dependencies),
    deleteAlias(dependencies),
    listAliases(dependencies),
    encrypt(dependencies),
    decrypt(dependencies),
    reEncrypt(dependencies),
    generateDataKey(dependencies),
    generateDataKeyWithoutPlaintext(dependencies),
    generateRandom(dependencies),
    getKeyPolicy(dependencies),
    putKeyPolicy(dependencies),
    listKeyPolicies(dependencies),
    tagResource(dependencies),
    untagResource(dependencies),
    listResourceTags(dependencies),
    getKeyRotationStatus(dependencies),
    enableKeyRotation(dependencies),
    disableKeyRotation(dependencies),
  ];
  return {
    name: "kms",
    eventSource: "kms.amazonaws.com",
    operations: operationTable(operations),
    accessDenied: {
      code: "AccessDeniedException",
      status: 400,
      printAction: (action) => action,
    },
  };
}
