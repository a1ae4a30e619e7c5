import { manyTexts, memoText } from "./memo.ts";

/** Amazon Resource Names: `arn:partition:service:region:account:resource`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly accountId: string;
  /** Everything after the fifth colon, colons included. */
  readonly resource: string;
}

export const partition = "aws";

/** Splits an ARN, or answers undefined if the text is none. */
export const parseArn = memoText((text): Arn | undefined => {
  if (!text.startsWith("arn:")) return undefined;
  const parts = text.split(":");
  if (parts.length < 6) return undefined;
  const [, part = "", service = "", region = "", accountId = "", ...resource] = parts;
  return { partition: part, service, region, accountId, resource: resource.join(":") };
}, manyTexts);

export function formatArn(
  service: string,
  region: string,
  accountId: string,
  resource: string,
): string {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}
