import type { Clock } from "../../kernel/clock.ts";
import type { Credentials } from "../../kernel/policy.ts";
import type { Random } from "../../kernel/random.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { SecretBox } from "../../kernel/secrets.ts";
import { createRootCredential } from "../../services/iam/root.ts";
import { accounts, installation } from "../../services/iam/store.ts";
import type { RecordCache } from "../../state/record-cache.ts";

export interface AccountKeysDependencies {
  readonly credentials: Credentials;
  readonly records: RecordCache;
  readonly secrets: SecretBox;
  readonly random: Random;
  readonly clock: Clock;
}

const secretAccessKey = "test";
/** Anybody can name an account, so their number is bounded. */
const madeMax = 1_000;

/** The stored credentials, under the preset with those of `withAccountKeys`. */
export function credentialsFor(
  preset: "localstack" | undefined,
  deps: AccountKeysDependencies,
): Credentials {
  return preset === "localstack" ? withAccountKeys(deps) : deps.credentials;
}

/**
 * Makes twelve digits as access key id, with the secret `test`, the root user of the account of
 * that number: a real credential, stored and verified like every other, made when first used.
 * Session tokens beside such keys are passed over, since projects set one that means nothing.
 */
function withAccountKeys(deps: AccountKeysDependencies): Credentials {
  const making = new Map<string, Promise<void>>();
  return {
    async find(view, accessKeyId, ...token) {
      if (accessKeyId === "test") return deps.credentials.find(view, accessKeyId);
      if (!/^\d{12}$/.test(accessKeyId)) {
        return deps.credentials.find(view, accessKeyId, ...token);
      }
      const stored = await deps.credentials.find(view, accessKeyId);
      if (stored || making.size >= madeMax) return stored;
      let made = making.get(accessKeyId);
      if (made === undefined) {
        made = makeKey(deps, accessKeyId);
        making.set(accessKeyId, made);
      }
      await made;
      return deps.credentials.find(deps.records.view(), accessKeyId);
    },
  };
}

async function makeKey(deps: AccountKeysDependencies, accountId: string): Promise<void> {
  const view: RecordView = deps.records.view();
  const there = await accounts.get(view, installation, accountId);
  const root = createRootCredential(deps, {
    accountId,
    name: there?.name ?? `account-${accountId}`,
    nowMs: deps.clock.now(),
    given: { accessKeyId: accountId, secretAccessKey },
  });
  const ids = there?.rootAccessKeyIds ?? [];
  const [, putKey] = root.commands;
  const commands = there
    ? [
        accounts.put(installation, accountId, { ...there, rootAccessKeyIds: [...ids, accountId] }),
        ...(putKey ? [putKey] : []),
      ]
    : root.commands;
  await deps.records.commit(deps.records.view(), commands);
}
