import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { invalidArn, refuse } from "./refusals.ts";
import type { TrailIdentity } from "./store.ts";

const nameCharactersMin = 3;
const nameCharactersMax = 128;
/** AWS: 63 characters are the most of a bucket name, 200 of a prefix. */
const prefixCharactersMax = 200;

export function trailArn({ accountId, region, name }: TrailIdentity): string {
  return formatArn("cloudtrail", region, accountId, `trail/${name}`);
}

/** Throws InvalidTrailName in AWS's words. */
export function checkTrailName(name: string): void {
  const invalid = (text: string) => refuse("InvalidTrailNameException", text);
  const { length } = name;
  if (length < nameCharactersMin) {
    throw invalid(
      "Trail name too short. Minimum allowed length: 3 characters. " +
        `Specified name length: ${length} characters.`,
    );
  }
  if (length > nameCharactersMax) {
    throw invalid(
      "Trail name too long. Maximum allowed length: 128 characters. " +
        `Specified name length: ${length} characters.`,
    );
  }
  if (!/^[A-Za-z0-9]/.test(name)) throw invalid("Trail name must starts with a letter or number.");
  if (!/[A-Za-z0-9]$/.test(name)) throw invalid("Trail name must ends with a letter or number.");
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    throw invalid(
      "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, " +
        "periods (.), hyphens (-), and underscores (_).",
    );
  }
  // AWS?: the texts.
  if (/[._-]{2}/.test(name)) {
    throw invalid("Trail name cannot have adjacent periods, hyphens or underscores.");
  }
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) {
    throw invalid("Trail name must not be in IP address format.");
  }
}

/** A trail by name (of the call's account, in its region) or by ARN. */
export type TrailReference = TrailIdentity & { readonly given: "name" | "arn" };

/** Throws InvalidTrailName, CloudTrailARNInvalid. */
export function readTrail(text: string, { accountId, region }: Call): TrailReference {
  if (!text.startsWith("arn:")) {
    checkTrailName(text);
    return { accountId, region, name: text, given: "name" };
  }
  const arn = parseArn(text);
  const name = arn?.resource.startsWith("trail/") ? arn.resource.slice("trail/".length) : "";
  if (arn?.service !== "cloudtrail" || arn.region === "" || name === "") throw invalidArn(text);
  checkTrailName(name);
  return { accountId: arn.accountId, region: arn.region, name, given: "arn" };
}

/** Throws InvalidS3BucketName. AWS?: the text. */
export function checkBucket(bucket: string): void {
  const shaped = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) && !/\.\.|\.-|-\./.test(bucket);
  if (shaped && !/^\d{1,3}(\.\d{1,3}){3}$/.test(bucket)) return;
  throw refuse("InvalidS3BucketNameException", `Bucket name is invalid: ${bucket}`);
}

/**
 * Throws InvalidS3Prefix. DIFFERS: a prefix names a folder as well, so it has neither empty parts
 * nor `.` and `..`.
 */
export function checkPrefix(prefix: string): void {
  const invalid = (text: string) => refuse("InvalidS3PrefixException", text);
  if (prefix.length > prefixCharactersMax) {
    throw invalid(`S3 prefix is too long: at most ${prefixCharactersMax} characters.`);
  }
  const parts = prefix.split("/");
  if (!/^[A-Za-z0-9 !_.*'()/=+@,:-]*$/.test(prefix) || parts.some((part) => badPart(part))) {
    throw invalid(`S3 prefix is invalid: ${prefix}`);
  }
}

function badPart(part: string): boolean {
  return part === "" || part === "." || part === ".." || part.startsWith(".");
}
