import { type AnyOperation, operationTable, type ServiceTable } from "../../kernel/operation.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { notOffered } from "./not-offered.ts";
import { cancelKeyDeletion } from "./operations/cancel-key-deletion.ts";
import { createAlias } from "./operations/create-alias.ts";
import { createGrant } from "./operations/create-grant.ts";
import { createKey } from "./operations/create-key.ts";
import { decrypt } from "./operations/decrypt.ts";
import { deleteAlias } from "./operations/delete-alias.ts";
import { deleteImportedKeyMaterial } from "./operations/delete-imported-key-material.ts";
import { deriveSharedSecret } from "./operations/derive-shared-secret.ts";
import { describeKey } from "./operations/describe-key.ts";
import { disableKey } from "./operations/disable-key.ts";
import { disableKeyRotation } from "./operations/disable-key-rotation.ts";
import { enableKey } from "./operations/enable-key.ts";
import { enableKeyRotation } from "./operations/enable-key-rotation.ts";
import { encrypt } from "./operations/encrypt.ts";
import { generateDataKey } from "./operations/generate-data-key.ts";
import { generateDataKeyPair } from "./operations/generate-data-key-pair.ts";
import { generateDataKeyPairWithoutPlaintext } from "./operations/generate-data-key-pair-without-plaintext.ts";
import { generateDataKeyWithoutPlaintext } from "./operations/generate-data-key-without-plaintext.ts";
import { generateMac } from "./operations/generate-mac.ts";
import { generateRandom } from "./operations/generate-random.ts";
import { getKeyLastUsage } from "./operations/get-key-last-usage.ts";
import { getKeyPolicy } from "./operations/get-key-policy.ts";
import { getKeyRotationStatus } from "./operations/get-key-rotation-status.ts";
import { getParametersForImport } from "./operations/get-parameters-for-import.ts";
import { getPublicKey } from "./operations/get-public-key.ts";
import { importKeyMaterial } from "./operations/import-key-material.ts";
import { listAliases } from "./operations/list-aliases.ts";
import { listGrants } from "./operations/list-grants.ts";
import { listKeyPolicies } from "./operations/list-key-policies.ts";
import { listKeyRotations } from "./operations/list-key-rotations.ts";
import { listKeys } from "./operations/list-keys.ts";
import { listResourceTags } from "./operations/list-resource-tags.ts";
import { listRetirableGrants } from "./operations/list-retirable-grants.ts";
import { putKeyPolicy } from "./operations/put-key-policy.ts";
import { reEncrypt } from "./operations/re-encrypt.ts";
import { replicateKey } from "./operations/replicate-key.ts";
import { retireGrant } from "./operations/retire-grant.ts";
import { revokeGrant } from "./operations/revoke-grant.ts";
import { rotateKeyOnDemand } from "./operations/rotate-key-on-demand.ts";
import { scheduleKeyDeletion } from "./operations/schedule-key-deletion.ts";
import { sign } from "./operations/sign.ts";
import { tagResource } from "./operations/tag-resource.ts";
import { untagResource } from "./operations/untag-resource.ts";
import { updateAlias } from "./operations/update-alias.ts";
import { updateKeyDescription } from "./operations/update-key-description.ts";
import { updatePrimaryRegion } from "./operations/update-primary-region.ts";
import { verify } from "./operations/verify.ts";
import { verifyMac } from "./operations/verify-mac.ts";
import { withQuota } from "./quotas.ts";

/** The key management service: keys of every kind, with real material. */
export function createKms(dependencies: KmsDependencies): ServiceTable {
  const operations: readonly AnyOperation[] = [
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
    createGrant(dependencies),
    listGrants(dependencies),
    listRetirableGrants(),
    retireGrant(dependencies),
    revokeGrant(dependencies),
    sign(dependencies),
    verify(dependencies),
    generateMac(dependencies),
    verifyMac(dependencies),
    deriveSharedSecret(dependencies),
    getPublicKey(dependencies),
    generateDataKeyPair(dependencies),
    generateDataKeyPairWithoutPlaintext(dependencies),
    rotateKeyOnDemand(dependencies),
    listKeyRotations(dependencies),
    getParametersForImport(dependencies),
    importKeyMaterial(dependencies),
    deleteImportedKeyMaterial(dependencies),
    replicateKey(dependencies),
    updatePrimaryRegion(dependencies),
    getKeyLastUsage(dependencies),
    ...notOffered(),
  ];
  const { quotas } = dependencies;
  const counted = quotas ? operations.map((operation) => withQuota(operation, quotas)) : operations;
  return {
    name: "kms",
    eventSource: "kms.amazonaws.com",
    operations: operationTable(counted),
    accessDenied: {
      code: "AccessDeniedException",
      status: 400,
      printAction: (action) => action,
    },
  };
}
