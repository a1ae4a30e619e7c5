import { hash } from "node:crypto";
import type { Random } from "../kernel/random.ts";

/**
 * Value of `Authorization` that answers a 401; undefined: there is no password, or no known way.
 */
export function answerChallenge(
  url: URL,
  challenge: string | string[] | undefined,
  random: Random,
): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const offered = challenge === undefined ? [] : [challenge].flat();
  const digest = offered.find((each) => /^digest /i.test(each));
  if (digest !== undefined) return digestAnswer(url, user, password, digest, random);
  if (!offered.some((each) => /^basic\b/i.test(each))) return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

const algorithms: Readonly<Record<string, string>> = { MD5: "md5", "SHA-256": "sha256" };

/** RFC 7616 with `qop=auth`. */
function digestAnswer(
  url: URL,
  user: string,
  password: string,
  challenge: string,
  random: Random,
): string | undefined {
  const given = new Map(
    [...challenge.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map(
      ([, name = "", quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? ""] as const,
    ),
  );
  const name = given.get("algorithm") ?? "MD5";
  const algorithm = algorithms[name.toUpperCase()];
  const [realm, nonce, qop] = ["realm", "nonce", "qop"].map((each) => given.get(each));
  if (algorithm === undefined || realm === undefined || nonce === undefined) return undefined;
  const digest = (text: string) => hash(algorithm, text, "hex");
  const uri = url.pathname + url.search;
  const secret = digest(`${user}:${realm}:${password}`);
  const request = digest(`POST:${uri}`);
  const opaque = given.get("opaque");
  const common = [
    `username="${user.replace(/["\\\r\n]/g, "")}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `algorithm=${name}`,
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
  ];
  if (qop === undefined) {
    return `Digest ${[...common, `response="${digest(`${secret}:${nonce}:${request}`)}"`].join(", ")}`;
  }
  if (!/(^|[, ])auth([, ]|$)/.test(qop)) return undefined;
  const cnonce = random.bytes(16).toString("hex");
  const response = digest(`${secret}:${nonce}:00000001:${cnonce}:auth:${request}`);
  const rest = [`qop=auth`, `nc=00000001`, `cnonce="${cnonce}"`, `response="${response}"`];
  return `Digest ${[...common, ...rest].join(", ")}`;
}
