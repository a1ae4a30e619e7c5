import { createHmac, hash } from "node:crypto";
import { canonicalUri } from "../auth/canonical.ts";
import { deriveSigningKey } from "../auth/signing-keys.ts";
import { parseArn } from "../kernel/arn.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { CarrierAnswer, LambdaInvocation } from "../services/sns/ports.ts";
import { exchange } from "./http-exchange.ts";
import { judgeError, judgeStatus } from "./outcome.ts";
import type { Targets } from "./targets.ts";

export interface LambdaOptions {
  /** `URL` for all functions, or `ARN=URL` for one. */
  readonly endpoints: readonly string[];
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** System time: signatures are judged by it. */
  readonly now: () => EpochMs;
}

/** Checks one value of `--lambda-endpoint`. Throws Error with the reason. */
export function checkLambdaEndpoint(text: string): void {
  const { url } = readEndpoint(text);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Error("must be an http(s):// address, or ARN=address");
  }
}

function readEndpoint(text: string): { functionArn: string | undefined; url: string } {
  const [, functionArn, url] = /^(arn:[^=]+)=(.+)$/.exec(text) ?? [];
  return url === undefined ? { functionArn: undefined, url: text } : { functionArn, url };
}

/**
 * Invokes a function by event through an endpoint that speaks the Lambda Invoke API. Answers, never
 * throws.
 */
export async function carryLambda(
  targets: Targets,
  options: LambdaOptions,
  { functionArn, payload }: LambdaInvocation,
): Promise<CarrierAnswer> {
  const base = endpointOf(options, functionArn);
  if (base === undefined) {
    const text = "no endpoint for functions is known; --lambda-endpoint names one";
    return { ok: false, code: "LambdaEndpointUnknown", text, retryable: false };
  }
  const path = `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`;
  const url = new URL(base.replace(/\/+$/, "") + path);
  try {
    const headers = sign(options, functionArn, url, payload);
    const answer = await exchange(targets, { url, headers, body: payload });
    return judgeStatus(answer.statusCode, answer.text);
  } catch (error) {
    return judgeError(error);
  }
}

function endpointOf({ endpoints }: LambdaOptions, functionArn: string): string | undefined {
  const known = endpoints.map(readEndpoint);
  const own = known.find((each) => each.functionArn === functionArn);
  return (own ?? known.find((each) => each.functionArn === undefined))?.url;
}

function sign(
  options: LambdaOptions,
  functionArn: string,
  url: URL,
  payload: string,
): Record<string, string> {
  const stamp = new Date(options.now()).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scopeDate = stamp.slice(0, 8);
  const region = parseArn(functionArn)?.region ?? "us-east-1";
  const { accessKeyId } = options;
  const headers: Record<string, string> = {
    "content-type": "application/json",
    host: url.host,
    "x-amz-date": stamp,
    "x-amz-invocation-type": "Event",
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const canonical = [
    "POST",
    canonicalUri(url.pathname),
    "",
    lines,
    names.join(";"),
    hash("sha256", payload, "hex"),
  ].join("\n");
  const scope = `${scopeDate}/${region}/lambda/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash("sha256", canonical, "hex")}`;
  const secret = Buffer.from(options.secretAccessKey, "utf8");
  const key = deriveSigningKey(secret, { accessKeyId, scopeDate, region, service: "lambda" });
  const signature = createHmac("sha256", key).update(text).digest("hex");
  key.fill(0);
  secret.fill(0);
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, ` +
    `Signature=${signature}`;
  return { ...headers, authorization };
}
