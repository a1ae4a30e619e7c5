import type { Command } from "../../kernel/command.ts";
import type { RecordView } from "../../kernel/records.ts";
import { revokeServiceCredential } from "./service-credentials.ts";
import { accessKeys, accountScope, accounts, installation, users } from "./store.ts";
import { putUser } from "./users.ts";

/** Takes an access key from whoever holds it: a user, the root user of an account, a service. */
export async function forgetAccessKey(
  view: RecordView,
  accessKeyId: string,
): Promise<readonly Command[]> {
  const key = await accessKeys.get(view, installation, accessKeyId);
  if (!key) return [];
  const { owner, accountId } = key;
  if (owner.kind === "service") return revokeServiceCredential(accessKeyId);
  const remove = accessKeys.remove(installation, accessKeyId);
  const without = (ids: readonly string[]) => ids.filter((id) => id !== accessKeyId);
  if (owner.kind === "root") {
    const account = await accounts.get(view, installation, accountId);
    if (!account) return [remove];
    const rootAccessKeyIds = without(account.rootAccessKeyIds);
    return [remove, accounts.put(installation, accountId, { ...account, rootAccessKeyIds })];
  }
  const user = await users.get(view, accountScope(accountId), owner.userKey);
  if (!user || user.userId !== owner.userId) return [remove];
  return [remove, putUser({ ...user, accessKeyIds: without(user.accessKeyIds) })];
}
