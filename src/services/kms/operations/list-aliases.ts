import type { AliasListEntry, ListAliasesRequest, ListAliasesResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { noKeyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { aliasArn } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { managedAliases } from "../managed.ts";
import { type PageRequest, pageOf, pageOutput, pageRequest } from "../paging.ts";
import { type AliasRecord, aliases } from "../store.ts";

/** A name that is reserved from the start has no record until it is bound to a key. */
interface NamedAlias {
  readonly name: string;
  readonly record: Readonly<AliasRecord> | undefined;
}

export function listAliases(
  dependencies: KmsDependencies,
): Operation<Wire<ListAliasesRequest>, Wire<ListAliasesResponse>> {
  return {
    name: "ListAliases",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["KeyId", "Limit", "Marker"] },
    resources: (_input, call) => [noKeyUse(call)],
    async handle(input, call) {
      const request = pageRequest("ListAliases", input, { default: 50, max: 100 });
      const entries =
        input.KeyId === undefined
          ? await aliasesAfter(call, request)
          : await aliasesOfKey(dependencies, call, input.KeyId, request);
      const page = pageOf("ListAliases", request, entries, (entry) => entry.name);
      const shown = page.entries.map((entry) => aliasEntry(call, entry));
      return { output: { Aliases: shown, ...pageOutput(page) } };
    },
  };
}

async function aliasesAfter(call: Call, request: PageRequest): Promise<readonly NamedAlias[]> {
  const range = { afterId: request.afterId, limit: request.limit + 1 };
  const entries = await aliases.list(call.records, call, range);
  const bound = entries.map(({ id, value }) => ({ name: id, record: value }));
  const names = new Set(bound.map((entry) => entry.name));
  const unbound: NamedAlias[] = [];
  for (const name of managedAliases) {
    if (name <= request.afterId || names.has(name)) continue;
    if (await aliases.get(call.records, call, name)) continue;
    unbound.push({ name, record: undefined });
  }
  return inOrder([...bound, ...unbound]);
}

async function aliasesOfKey(
  dependencies: KmsDependencies,
  call: Call,
  keyId: string,
  request: PageRequest,
): Promise<readonly NamedAlias[]> {
  const { key } = await requireOwnKey(dependencies, call, keyId);
  const entries: NamedAlias[] = [];
  for (const name of key.aliases) {
    if (name <= request.afterId) continue;
    entries.push({ name, record: await aliases.get(call.records, call, name) });
  }
  return inOrder(entries);
}

function inOrder(entries: readonly NamedAlias[]): readonly NamedAlias[] {
  return entries.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function aliasEntry(call: Call, { name, record }: NamedAlias): Wire<AliasListEntry> {
  return {
    AliasName: name,
    AliasArn: aliasArn(call, name),
    ...(record && {
      TargetKeyId: record.targetKeyId,
      CreationDate: record.createdMs,
      LastUpdatedDate: record.updatedMs,
    }),
  };
}
