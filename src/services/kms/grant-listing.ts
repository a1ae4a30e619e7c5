import type { GrantListEntry } from "@aws-sdk/client-kms";
import type { Wire } from "../../kernel/wire-types.ts";
import { keyArn } from "./keys.ts";
import type { GrantRecord, KeyRecord } from "./store.ts";

/** A grant as both lists show it. AWS: never a token. */
export function grantEntry(
  key: Readonly<KeyRecord>,
  grant: Readonly<GrantRecord>,
): Wire<GrantListEntry> {
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = grant;
  return {
    KeyId: keyArn(key),
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: grant.createdMs,
    GranteePrincipal: grant.granteePrincipal,
    ...(grant.retiringPrincipal !== undefined && { RetiringPrincipal: grant.retiringPrincipal }),
    IssuingAccount: `arn:aws:iam::${grant.issuingAccountId}:root`,
    Operations: grant.operations as NonNullable<GrantListEntry["Operations"]>,
    ...((equals || subset) && {
      Constraints: {
        ...(subset && { EncryptionContextSubset: subset }),
        ...(equals && { EncryptionContextEquals: equals }),
      },
    }),
  };
}
