import { checkPolicy, PolicyError, resolvePrincipalIds } from "../../auth/policy/index.ts";
import type { AttachedPolicy, Principals } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import { invalidParameter } from "./errors.ts";
import { isTopicAction, policyBytesMax, statementsMax } from "./topic-policy.ts";

/** AWS: principals in all statements together. */
const principalsMax = 200;

/**
 * A topic policy as its author wrote it, checked, with the users and roles that it names resolved.
 *
 * Throws InvalidParameter: `Policy Error: PrincipalNotFound`, `Policy statement action out of
 * service scope!`, else `Policy Error: ` and what is wrong. DIFFERS: AWS only says `null` there.
 */
export async function saveTopicPolicy(
  principals: Principals,
  view: RecordView,
  text: string,
  prefix = "",
): Promise<AttachedPolicy> {
  checkText(text, prefix);
  const resolved = await resolvePrincipalIds(text, principals, view);
  if (!resolved.ok) throw invalidParameter(`${prefix}Policy Error: PrincipalNotFound`);
  return resolved.policy;
}

function checkText(text: string, prefix: string): void {
  const rules = { lengthMax: policyBytesMax, statementsMax, principalsMax };
  try {
    const { document } = checkPolicy(text, "resource", rules);
    const names = document.statements.flatMap(({ action }) => action?.values ?? []);
    if (names.every(isTopicAction)) return;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw invalidParameter(`${prefix}Policy Error: ${error.message}`);
  }
  throw invalidParameter(`${prefix}Policy statement action out of service scope!`);
}
