import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { UserCaller } from "../../kernel/caller.ts";
import type { RecordView } from "../../kernel/records.ts";
import { findManagedPolicy } from "./managed-policies.ts";
import { findProvider, providerArn } from "./oidc-providers.ts";
import { roleArn } from "./role-arns.ts";
import { accountScope, nameKey, roles } from "./store.ts";

/** A role with this very ARN, path and letter case included, as STS asks for it. */
export async function roleByArn(view: RecordView, arn: string) {
  const parsed = parseArn(arn);
  if (parsed?.service !== "iam" || !parsed.resource.startsWith("role/")) return undefined;
  const key = nameKey(parsed.resource.slice(parsed.resource.lastIndexOf("/") + 1));
  const role = await roles.get(view, accountScope(parsed.accountId), key);
  if (!role || roleArn(role) !== arn) return undefined;
  const { accountId, roleName, roleId, maxSessionSeconds, trust, tags } = role;
  return { arn, accountId, roleName, key, roleId, maxSessionSeconds, trust, tags };
}

/** What STS needs of IAM; it declares the port. */
export const identities = {
  role: roleByArn,

  holderOf({ userName, principalId }: UserCaller) {
    return { kind: "user", key: nameKey(userName), userId: principalId } as const;
  },

  async hasManagedPolicy(view: RecordView, accountId: string, arn: string): Promise<boolean> {
    return (await findManagedPolicy(view, accountId, arn)) !== undefined;
  },

  async provider(view: RecordView, accountId: string, issuer: string) {
    const arn = formatArn("iam", "", accountId, `oidc-provider/${issuer}`);
    const found = await findProvider(view, arn);
    if (!found) return undefined;
    const { clientIds, createdMs } = found;
    return { arn: providerArn(found), issuer: found.issuer, clientIds, createdMs };
  },
};
