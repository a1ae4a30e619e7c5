import type { AssumeRoleCommandInput, Credentials, STS } from "@aws-sdk/client-sts";
import type { TestClients, TestCredentials, TestServer } from "../harness/server.ts";

export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

export function allow(
  action: string | readonly string[],
  resource: string | readonly string[] = "*",
) {
  return { Effect: "Allow", Action: action, Resource: resource };
}

export function trusts(principal: object, more: object = {}): object {
  return { Effect: "Allow", Principal: principal, Action: "sts:AssumeRole", ...more };
}

/** A role with one inline policy; answers its ARN. */
export async function makeRole(
  by: TestClients,
  RoleName: string,
  trust: readonly object[],
  statements: readonly object[] = [],
  more: {
    Path?: string;
    MaxSessionDuration?: number;
    Tags?: { Key: string; Value: string }[];
  } = {},
): Promise<string> {
  const AssumeRolePolicyDocument = policy(...trust);
  const { Role } = await by.iam.createRole({ RoleName, AssumeRolePolicyDocument, ...more });
  if (statements.length > 0) {
    const PolicyDocument = policy(...statements);
    await by.iam.putRolePolicy({ RoleName, PolicyName: "test", PolicyDocument });
  }
  return Role?.Arn ?? "";
}

export type SessionCredentials = TestCredentials & { readonly sessionToken: string };

export function credentialsOf(credentials: Credentials | undefined): SessionCredentials {
  return {
    accessKeyId: credentials?.AccessKeyId ?? "",
    secretAccessKey: credentials?.SecretAccessKey ?? "",
    sessionToken: credentials?.SessionToken ?? "",
  };
}

/** Clients of a session of a role. */
export async function assume(
  server: TestServer,
  sts: STS,
  input: Omit<AssumeRoleCommandInput, "RoleSessionName"> & { RoleSessionName?: string },
): Promise<TestClients & { readonly credentials: SessionCredentials }> {
  const { Credentials } = await sts.assumeRole({ RoleSessionName: "s1", ...input });
  const credentials = credentialsOf(Credentials);
  return { ...server.clients(credentials), credentials };
}
