import { openState, stateOptions } from "../src/assembly/state.ts";
import { readSettings } from "../src/cli/settings.ts";
import { systemRandom } from "../src/crypto/random.ts";
import { silentLog } from "../src/kernel/log.ts";
import { materialRecord } from "../src/services/kms/keys.ts";
import { keys } from "../src/services/kms/store.ts";

const atOnce = 500;

/**
 * So many more keys like the first one of this data folder, whose server is stopped: genuine
 * records with material of their own, hundreds in a commit. CreateKey takes one fsync for each.
 */
export async function seedKeys(
  dataFolder: string,
  scope: { accountId: string; region: string },
  count: number,
): Promise<string[]> {
  const settings = readSettings({
    flags: { data: dataFolder },
    environment: {},
    fileText: undefined,
    workingDirectory: dataFolder,
  });
  await using opened = new AsyncDisposableStack();
  const state = await openState(stateOptions(settings, silentLog), opened);
  const made: string[] = [];
  const [first] = await keys.list(state.records.view(), scope, { limit: 1 });
  if (!first) throw new Error("there is a key to make others like");
  while (made.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - made.length) }, async () => {
      const identity = { accountId: scope.accountId, keyId: systemRandom.uuid() };
      const material = await state.keys.createMaterial(identity);
      const materials = [materialRecord(material, first.value.createdMs)];
      return { ...first.value, ...identity, materials };
    });
    const records = await Promise.all(some);
    const commands = records.map((record) => keys.put(scope, record.keyId, record));
    await state.records.commit(state.records.view(), commands);
    made.push(...records.map(({ keyId }) => keyId));
  }
  return made;
}
