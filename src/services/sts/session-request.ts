import { deflateRawSync } from "node:zlib";
import type { PolicyDescriptorType, Tag } from "@aws-sdk/client-sts";
import { checkPolicy, PolicyError } from "../../auth/policy/index.ts";
import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { ConditionContext } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { Identities } from "./dependencies.ts";
import { invalidParameter, malformedPolicy, validationError } from "./refusals.ts";

type Tags = Readonly<Record<string, string>>;

/** What a request wants its session to carry. */
export interface SessionInput {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly Wire<PolicyDescriptorType>[] | undefined;
  readonly Tags?: readonly Wire<Tag>[] | undefined;
}

/** Members of SessionClaims that the input decides. */
export interface SessionContent {
  readonly policy: string | undefined;
  readonly policyArns: readonly string[];
  readonly tags: Tags;
}

/** AWS: plain characters of a session policy. */
const policyCharactersMax = 2048;
const policyArnsMax = 10;
const tagsMax = 50;
/** AWS?: the packed form and its limit are secret; this keeps a token within a header. */
const packedBytesMax = 4096;

/** Tags of a request by key. Throws InvalidParameterValue. */
export function sessionTags(tags: readonly Wire<Tag>[] | undefined): Tags {
  const seen = new Set<string>();
  for (const { Key } of tags ?? []) {
    const key = Key.toLowerCase();
    if (key.startsWith("aws:")) throw invalidParameter("Tag keys cannot start with aws:");
    if (seen.has(key)) {
      throw invalidParameter(
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
      );
    }
    seen.add(key);
  }
  if (seen.size > tagsMax) throw invalidParameter(`At most ${tagsMax} session tags may be passed.`);
  return Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value]));
}

/** aws:RequestTag/k and aws:TagKeys. */
export function tagConditions(tags: Tags): ConditionContext {
  const names = Object.keys(tags);
  if (names.length === 0) return {};
  const values = names.map((name) => [`aws:requesttag/${name.toLowerCase()}`, tags[name] ?? ""]);
  return { ...Object.fromEntries(values), "aws:tagkeys": names };
}

/**
 * Checks what a session is to carry. Throws MalformedPolicyDocument, ValidationError and
 * PackedPolicyTooLarge.
 */
export async function checkedContent(
  identities: Identities,
  call: Call,
  accountId: string,
  input: SessionInput,
  tags: Tags,
): Promise<{ readonly content: SessionContent; readonly packed: { PackedPolicySize?: number } }> {
  const policyArns = (input.PolicyArns ?? []).map(({ arn }) => arn ?? "");
  if (policyArns.length > policyArnsMax) {
    throw validationError(`At most ${policyArnsMax} managed session policies may be passed.`);
  }
  for (const arn of policyArns) {
    if (await identities.hasManagedPolicy(call.records, accountId, arn)) continue;
    // AWS?: code and text.
    throw malformedPolicy(`Policy ${arn} does not exist or is not attachable.`);
  }
  const policy = input.Policy;
  if (policy !== undefined) checkSessionPolicy(policy);
  const content = { policy, policyArns, tags };
  return { content, packed: packedSize(content) };
}

function checkSessionPolicy(text: string): void {
  if (text.length > policyCharactersMax) {
    throw validationError(
      "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must " +
        `have length less than or equal to ${policyCharactersMax}`,
    );
  }
  try {
    checkPolicy(text, "session");
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (error.kind === "syntax") {
      throw malformedPolicy(`This policy contains invalid Json (${error.message})`);
    }
    throw malformedPolicy(`Syntax errors in policy. ${error.message}`);
  }
}

/** AWS: told only where policies or tags were given. */
function packedSize(content: SessionContent): { PackedPolicySize?: number } {
  const { policy, policyArns, tags } = content;
  if (policy === undefined && policyArns.length === 0 && Object.keys(tags).length === 0) return {};
  const packed = deflateRawSync(Buffer.from(JSON.stringify([policy, policyArns, tags])));
  const percent = Math.ceil((100 * packed.length) / packedBytesMax);
  if (percent > 100) {
    throw new Refusal(
      "PackedPolicyTooLarge",
      `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
      { status: 400 },
    );
  }
  return { PackedPolicySize: percent };
}
