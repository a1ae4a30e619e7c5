import type { RecordView } from "../../kernel/records.ts";
import {
  accountScope,
  type GroupRecord,
  groups,
  type RoleRecord,
  roles,
  type UserRecord,
  users,
} from "./store.ts";

/** Everyone of an account that policies are attached to. */
export interface Entities {
  readonly users: readonly Readonly<UserRecord>[];
  readonly groups: readonly Readonly<GroupRecord>[];
  readonly roles: readonly Readonly<RoleRecord>[];
}

/** How often each managed policy is in use, by ARN. */
export interface UseCounts {
  readonly attached: ReadonlyMap<string, number>;
  readonly boundaries: ReadonlyMap<string, number>;
}

export const noCounts: UseCounts = { attached: new Map(), boundaries: new Map() };

/**
 * Uses are counted by looking, not kept: a counter would be one more record that each attachment
 * changes. Quotas bound the number of entities, and the listings are cached.
 */
export async function entitiesOf(view: RecordView, accountId: string): Promise<Entities> {
  const scope = accountScope(accountId);
  const [allUsers, allGroups, allRoles] = await Promise.all([
    users.list(view, scope),
    groups.list(view, scope),
    roles.list(view, scope),
  ]);
  return {
    users: allUsers.map(({ value }) => value),
    groups: allGroups.map(({ value }) => value),
    roles: allRoles.map(({ value }) => value),
  };
}

export async function useCounts(view: RecordView, accountId: string): Promise<UseCounts> {
  const all = await entitiesOf(view, accountId);
  const attached = new Map<string, number>();
  const boundaries = new Map<string, number>();
  const count = (counts: Map<string, number>, arn: string) =>
    counts.set(arn, (counts.get(arn) ?? 0) + 1);
  for (const entity of [...all.users, ...all.groups, ...all.roles]) {
    for (const arn of entity.attached) count(attached, arn);
    if ("boundary" in entity && entity.boundary !== undefined) count(boundaries, entity.boundary);
  }
  return { attached, boundaries };
}

/** Users of a group, in order of name. */
export async function usersInGroup(
  view: RecordView,
  accountId: string,
  groupKey: string,
): Promise<readonly Readonly<UserRecord>[]> {
  const all = await users.list(view, accountScope(accountId));
  return all.map(({ value }) => value).filter((user) => user.groups.includes(groupKey));
}
