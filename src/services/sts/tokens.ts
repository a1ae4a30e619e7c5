import { hash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Fault } from "../../kernel/errors.ts";
import type { Random } from "../../kernel/random.ts";
import type { SecretBox } from "../../kernel/secrets.ts";
import type {
  IssuedSession,
  OpenedSession,
  SessionClaims,
  SessionTokens,
} from "../../kernel/session.ts";

/** What is inside a token, sealed under the access key id that it belongs to. */
interface TokenContent {
  readonly secret: string;
  readonly claims: SessionClaims;
}

/** Opened tokens that are kept: each holds a caller and, through it, compiled session policies. */
const openedMax = 10_000;
/** Far above what the checks at issue let through. */
const contentBytesMax = 256 * 1024;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * Session tokens that need no record. INVARIANT: a token is sealed and authenticated under a ring
 * key with its access key id as context, so one cannot be read, made, changed or used with another
 * key id. That its role or user still is who it was is looked up at each use.
 */
export function createSessionTokens(secrets: SecretBox, random: Random): SessionTokens {
  const opened = new Map<string, OpenedSession>();
  return {
    issue: (claims) => issue(secrets, random, claims),
    open(accessKeyId, sessionToken) {
      const name = `${accessKeyId} ${sessionToken}`;
      const known = opened.get(name);
      if (known !== undefined) return known;
      const session = openToken(secrets, accessKeyId, sessionToken);
      if (session === undefined) return undefined;
      const oldest = opened.size >= openedMax ? opened.keys().next() : undefined;
      if (oldest && !oldest.done) opened.delete(oldest.value);
      opened.set(name, session);
      return session;
    },
  };
}

function issue(secrets: SecretBox, random: Random, claims: SessionClaims): IssuedSession {
  const letters = Array.from(random.bytes(16), (byte) => alphabet.charAt(byte & 31)).join("");
  const accessKeyId = `ASIA${letters}`;
  const secretAccessKey = random.bytes(30).toString("base64");
  const content = Buffer.from(JSON.stringify({ secret: secretAccessKey, claims }));
  // A token travels in a header with each request; policies and tags compress well.
  const packed = deflateRawSync(content);
  const sessionToken = secrets.seal(packed, contextOf(accessKeyId));
  content.fill(0);
  packed.fill(0);
  return { accessKeyId, secretAccessKey, sessionToken };
}

function openToken(
  secrets: SecretBox,
  accessKeyId: string,
  sessionToken: string,
): OpenedSession | undefined {
  try {
    const packed = secrets.open(sessionToken, contextOf(accessKeyId));
    const bytes = inflateRawSync(packed, { maxOutputLength: contentBytesMax });
    packed.fill(0);
    // What opens was written by `issue`, of this version or an older one.
    const { secret, claims } = JSON.parse(bytes.toString()) as TokenContent;
    bytes.fill(0);
    const secretAccessKey = Buffer.from(secret);
    return Object.freeze({ claims, secretAccessKey, digest: digestOf(claims) });
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function contextOf(accessKeyId: string): string {
  return `sts.session|${accessKeyId}`;
}

/** Sessions with the same digest are the same to every policy, but for their times and names. */
function digestOf(claims: SessionClaims): string {
  const { policy, policyArns, tags, sourceIdentity, federatedProvider } = claims;
  const sorted = Object.entries(tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const told = [policy, policyArns, sorted, sourceIdentity, federatedProvider];
  const plain = told.every((fact) => fact === undefined || fact.length === 0);
  return plain ? "" : hash("sha256", JSON.stringify(told), "hex").slice(0, 32);
}
