import { parseArn, partition } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { refuse } from "./refusals.ts";

export interface GrantPrincipal {
  readonly arn: string;
  /** Unique id of a user or role: one that is made again has no part in the grant. */
  readonly id: string | undefined;
}

/**
 * A principal that a grant may name: user, role, session, federated user or account root.
 *
 * Throws InvalidArnException for anything else, and for a user or role that does not exist.
 */
export async function requireGrantPrincipal(
  { principals }: Pick<KmsDependencies, "principals">,
  call: Call,
  text: string,
): Promise<GrantPrincipal> {
  const arn = parseArn(text);
  const isArn = arn?.partition === partition && arn.region === "" && /^\d{12}$/.test(arn.accountId);
  if (!isArn) throw invalidPrincipal(text);
  const { service, resource } = arn;
  if (service === "iam" && resource === "root") return { arn: text, id: undefined };
  if (service === "iam" && /^(user|role)\/./.test(resource)) {
    const id = await principals.resolve(call.records, text);
    if (id === undefined) throw invalidPrincipal(text);
    return { arn: text, id };
  }
  if (service === "sts" && /^(assumed-role\/[^/]+\/|federated-user\/)./.test(resource)) {
    return { arn: text, id: undefined };
  }
  throw invalidPrincipal(text);
}

/** AWS?: text. */
function invalidPrincipal(text: string) {
  return refuse("InvalidArnException", `The principal '${text}' is not valid in a grant.`);
}
