import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { NamedPolicy } from "../../kernel/policy.ts";
import { groupUse, putGroup, requireGroup } from "./groups.ts";
import { validationError } from "./refusals.ts";
import { putRole, requireOwnRole, requireRole, roleUse } from "./roles.ts";
import { putUser, requireUser, userUse } from "./users.ts";

/** Who policies are attached to: a user, a group or a role, as far as its policies go. */
export interface Holder {
  readonly name: string;
  readonly path: string;
  readonly policies: readonly NamedPolicy[];
  readonly attached: readonly string[];
  readonly boundary?: string | undefined;
  /** The command that makes other policies true. */
  put(change: HolderChange): Command;
}

export interface HolderChange {
  readonly policies?: readonly NamedPolicy[];
  readonly attached?: readonly string[];
  readonly boundary?: string | undefined;
}

/** What differs between the three; their operations derive from it. */
export interface HolderForm {
  /** `User` in `PutUserPolicy`. */
  readonly label: "User" | "Group" | "Role";
  /** Member of the input that names it. */
  readonly member: "UserName" | "GroupName" | "RoleName";
  /** AWS: all inline policies together, white space not counted. */
  readonly inlineCharactersMax: number;
  use(call: Call, name: string, options?: { context?: ConditionContext }): Promise<ResourceUse>;
  /** Throws NoSuchEntity. */
  require(call: Call, name: string): Promise<Holder>;
  /** To change it. Throws NoSuchEntity, UnmodifiableEntity. */
  requireOwn(call: Call, name: string): Promise<Holder>;
}

async function userHolder(call: Call, name: string): Promise<Holder> {
  const user = await requireUser(call, name);
  return { ...user, name: user.userName, put: (change) => putUser({ ...user, ...change }) };
}

async function groupHolder(call: Call, name: string): Promise<Holder> {
  const group = await requireGroup(call, name);
  return {
    ...group,
    name: group.groupName,
    put: ({ policies, attached }) =>
      putGroup({
        ...group,
        policies: policies ?? group.policies,
        attached: attached ?? group.attached,
      }),
  };
}

async function roleHolder(call: Call, name: string, own: boolean): Promise<Holder> {
  const role = await (own ? requireOwnRole : requireRole)(call, name);
  return { ...role, name: role.roleName, put: (change) => putRole({ ...role, ...change }) };
}

export const userForm: HolderForm = {
  label: "User",
  member: "UserName",
  inlineCharactersMax: 2048,
  use: userUse,
  require: userHolder,
  requireOwn: userHolder,
};

export const groupForm: HolderForm = {
  label: "Group",
  member: "GroupName",
  inlineCharactersMax: 5120,
  use: groupUse,
  require: groupHolder,
  requireOwn: groupHolder,
};

export const roleForm: HolderForm = {
  label: "Role",
  member: "RoleName",
  inlineCharactersMax: 10_240,
  use: roleUse,
  require: (call, name) => roleHolder(call, name, false),
  requireOwn: (call, name) => roleHolder(call, name, true),
};

export const holderForms = [userForm, groupForm, roleForm] as const;

/** An input that names a user, a group or a role. */
export interface HolderInput {
  readonly UserName?: string;
  readonly GroupName?: string;
  readonly RoleName?: string;
}

export function nameIn(form: HolderForm, input: HolderInput): string {
  const name = input[form.member];
  // The wire has checked it: the member is required in every operation of the form.
  if (name === undefined) throw validationError(`${form.member} is missing.`);
  return name;
}

/** iam:PermissionsBoundary: the boundary that the holder has now. */
export async function boundaryContext(
  form: HolderForm,
  call: Call,
  name: string,
): Promise<ConditionContext> {
  if (form.label === "Group") return {};
  const holder = await form.require(call, name).catch(() => undefined);
  return holder?.boundary === undefined ? {} : { "iam:permissionsboundary": holder.boundary };
}
