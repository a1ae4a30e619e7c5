import { formatArn } from "../../kernel/arn.ts";

interface Named {
  readonly accountId: string;
  readonly path: string;
}

export function roleArn(role: Named & { readonly roleName: string }): string {
  return formatArn("iam", "", role.accountId, `role${role.path}${role.roleName}`);
}

/** AWS: the ARN of a session names the role without its path. */
export function roleSessionArn(accountId: string, roleName: string, sessionName: string): string {
  return formatArn("sts", "", accountId, `assumed-role/${roleName}/${sessionName}`);
}

export function federatedUserArn(accountId: string, name: string): string {
  return formatArn("sts", "", accountId, `federated-user/${name}`);
}
