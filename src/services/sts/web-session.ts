import type { Json } from "../../kernel/json.ts";
import type { JsonObject } from "../../kernel/records.ts";
import { invalidIdentityToken } from "./refusals.ts";

/** What an identity provider wants the session to carry, by the claims that AWS defined. */
export interface WebSession {
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
}

const tagsClaim = "https://aws.amazon.com/tags";
const sourceClaim = "https://aws.amazon.com/source_identity";
const tagsMax = 50;

/** Throws InvalidIdentityToken for claims of another form. */
export function webSession(claims: JsonObject): WebSession {
  const tagged = claims[tagsClaim];
  const principal = memberOf(tagged, "principal_tags");
  const keys = memberOf(tagged, "transitive_tag_keys");
  return {
    tags: tagsOf(principal),
    transitiveTagKeys: Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [],
    sourceIdentity: sourceIdentityOf(claims[sourceClaim]),
  };
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return (value as JsonObject)[name];
}

function tagsOf(value: Json | undefined): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const tags = entries.map(([key, list]) => {
    const [tag] = Array.isArray(list) ? list : [list];
    const right = typeof tag === "string" && tag.length <= 256 && /^.{1,128}$/.test(key);
    if (!right) throw invalidIdentityToken(`The claim ${tagsClaim} is malformed.`);
    return [key, tag] as const;
  });
  if (tags.length > tagsMax) throw invalidIdentityToken(`${tagsClaim} has too many tags.`);
  return Object.fromEntries(tags);
}

function sourceIdentityOf(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[\w+=,.@-]{2,64}$/.test(value)) return value;
  throw invalidIdentityToken(`The claim ${sourceClaim} is malformed.`);
}
