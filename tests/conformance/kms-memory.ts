import type { createRing } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import type { Command, CommitRequest, RecordQuery, Store } from "../../src/kernel/command.ts";
import { assert } from "../../src/kernel/errors.ts";
import type { KeyVault } from "../../src/kernel/keyvault.ts";
import type { StoredRecord } from "../../src/kernel/records.ts";
import { Engine } from "../../src/keys/engine.ts";
import type { Field } from "../../src/keys/protocol.ts";
import { vaultOn } from "../../src/keys/vault.ts";

/** The vault without its process: the key process's own engine, asked directly. */
export function localVault(ring: ReturnType<typeof createRing>): KeyVault {
  const engine = new Engine(ring, systemRandom, 1_000_000);
  const bytes = (fields: readonly Field[]) => fields.map((field) => Buffer.from(field));
  return vaultOn(async (operation, fields, read) =>
    read(bytes(await engine.handle(operation, bytes(fields)))),
  );
}

/** Records and account versions in memory, by the contract of `Store`. */
export function memoryStore(): Store {
  const records = new Map<string, StoredRecord>();
  const versions = new Map<string, number>();
  const nameOf = (key: { accountId: string; region: string; kind: string; id: string }) =>
    JSON.stringify([key.accountId, key.region, key.kind, key.id]);
  const versionOf = (accountId: string) => versions.get(accountId) ?? 0;
  const change = (command: Command) => {
    if (command.kind === "record.put" && "record" in command) {
      const record = command.record as StoredRecord;
      records.set(nameOf(record), record);
      return record.accountId;
    }
    assert(command.kind === "record.delete" && "key" in command, "only records change here");
    const key = command.key as StoredRecord;
    records.delete(nameOf(key));
    return key.accountId;
  };
  return {
    async commit({ decidedUnder, commands }: CommitRequest) {
      const present = decidedUnder.map(({ accountId }) => ({
        accountId,
        version: versionOf(accountId),
      }));
      const stale = decidedUnder.some((known) => known.version < versionOf(known.accountId));
      if (stale) return { status: "stale", versions: present } as const;
      for (const accountId of new Set(commands.map(change))) {
        versions.set(accountId, versionOf(accountId) + 1);
      }
      const after = decidedUnder.map(({ accountId }) => ({
        accountId,
        version: versionOf(accountId),
      }));
      return { status: "done", results: commands.map(() => undefined), versions: after } as const;
    },
    async query(query) {
      return answer(query as unknown as RecordQuery) as never;
    },
    async close() {},
  };

  function answer(query: RecordQuery): object {
    if (query.kind === "record.get") {
      const { accountId, region: place, recordKind: kind, id } = query;
      const record = records.get(nameOf({ accountId, region: place, kind, id }));
      return { record, version: versionOf(accountId) };
    }
    const inPlace = (accountId: string, place: string, kind: string) =>
      [...records.values()].filter(
        (r) => r.accountId === accountId && r.region === place && r.kind === kind,
      );
    if (query.kind === "record.count") {
      const { accountId, region: place, recordKind } = query;
      const { length: count } = inPlace(accountId, place, recordKind);
      return { count, version: versionOf(accountId) };
    }
    const { accountId, region: place, kind, afterId = "", limit } = query.range;
    const found = inPlace(accountId, place, kind)
      .filter((r) => r.id > afterId)
      .toSorted((left, right) => (left.id < right.id ? -1 : 1));
    return { records: found.slice(0, limit), version: versionOf(accountId) };
  }
}
