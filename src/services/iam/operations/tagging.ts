import type { Tag } from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Command } from "../../../kernel/command.ts";
import type {
  AnyOperation,
  ConditionContext,
  Operation,
  ResourceUse,
} from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { type PagedInput, pageOfAll } from "../paging.ts";
import { auditedTags, mergedTags, requestedTags, tagConditions, withoutTags } from "../tags.ts";

type Tags = Readonly<Record<string, string>>;

/** Something of IAM that has tags. */
export interface TaggedForm {
  /** `User` in `TagUser`. */
  readonly label: string;
  /** Member of the input that names it. */
  readonly member:
    | "UserName"
    | "RoleName"
    | "PolicyArn"
    | "InstanceProfileName"
    | "OpenIDConnectProviderArn";
  use(call: Call, name: string, options: { context?: ConditionContext }): Promise<ResourceUse>;
  /** Throws NoSuchEntity. */
  find(call: Call, name: string): Promise<Tagged>;
}

export interface Tagged {
  readonly tags: Tags;
  put(tags: Tags): Command;
}

type Named = { readonly [member: string]: unknown };

/** Tag…, Untag… and List…Tags of one kind of entity. */
export function tagOperations(form: TaggedForm): readonly AnyOperation[] {
  return [tagEntity(form), untagEntity(form), listEntityTags(form)];
}

function nameOf(form: TaggedForm, input: Named): string {
  return String(input[form.member]);
}

/** AWS: members of a request in an audit record begin in lower case. */
function auditedName(form: TaggedForm, input: Named): Record<string, string> {
  const member = form.member.charAt(0).toLowerCase() + form.member.slice(1);
  return { [member]: nameOf(form, input) };
}

function tagEntity(
  form: TaggedForm,
): Operation<Named & { readonly Tags: readonly Wire<Tag>[] }, object> {
  return {
    name: `Tag${form.label}`,
    access: "tagging",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({ ...auditedName(form, input), ...auditedTags(input.Tags) }),
    },
    async resources(input, call) {
      const tags = requestedTags(input.Tags);
      const context = tagConditions(Object.keys(tags), tags);
      return [await form.use(call, nameOf(form, input), { context })];
    },
    async handle(input, call) {
      const entity = await form.find(call, nameOf(form, input));
      const tags = mergedTags(entity.tags, requestedTags(input.Tags));
      return { output: {}, commands: [entity.put(tags)] };
    },
  };
}

function untagEntity(
  form: TaggedForm,
): Operation<Named & { readonly TagKeys: readonly string[] }, object> {
  return {
    name: `Untag${form.label}`,
    access: "tagging",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({ ...auditedName(form, input), tagKeys: input.TagKeys }),
    },
    async resources(input, call) {
      const context = tagConditions(input.TagKeys);
      return [await form.use(call, nameOf(form, input), { context })];
    },
    async handle(input, call) {
      const entity = await form.find(call, nameOf(form, input));
      const tags = withoutTags(entity.tags, input.TagKeys);
      return { output: {}, commands: [entity.put(tags)] };
    },
  };
}

function listEntityTags(form: TaggedForm): Operation<Named & PagedInput, object> {
  const operation = `List${form.label}Tags`;
  return {
    name: operation,
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: (input) => auditedName(form, input),
    },
    resources: async (input, call) => [await form.use(call, nameOf(form, input), {})],
    async handle(input, call) {
      const { tags } = await form.find(call, nameOf(form, input));
      const all = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      const page = pageOfAll(operation, input, all, (tag) => tag.Key);
      return { output: { Tags: page.entries, ...page.output } };
    },
  };
}
