import { createPublicKey, type KeyObject } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";

/** How a key of an identity provider signs. Fixed by the key's own type, never by a token. */
export type TokenAlgorithm = "RS256" | "ES256";

export interface ProviderKey {
  readonly keyId: string | undefined;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

/** The signing keys of identity providers. */
export interface ProviderKeys {
  /**
   * The keys of an issuer (without `https://`). `keyId`: the key that a token names; if it is not
   * among the known ones they are asked for again. Throws IDPCommunicationError.
   */
  of(issuer: string, keyId: string | undefined): Promise<readonly ProviderKey[]>;
}

export interface ProviderKeysDependencies {
  /** Reads a small JSON document over HTTPS. Throws for whatever goes wrong. */
  fetchJson(url: string): Promise<Json>;
  readonly systemClock: Pick<Clock, "now">;
}

const keptMs = 3_600_000;
/** New keys, and failures, are asked for at most so often: callers are strangers. */
const againMs = 60_000;
const issuersMax = 100;
const keysMax = 32;

interface Known {
  readonly keys: Promise<readonly ProviderKey[]>;
  readonly fetchedMs: number;
}

export function createProviderKeys(deps: ProviderKeysDependencies): ProviderKeys {
  const known = new Map<string, Known>();
  const fetchNow = (issuer: string): Promise<readonly ProviderKey[]> => {
    if (known.size >= issuersMax) known.clear();
    const keys = fetchKeys(deps, issuer);
    // Whoever asks hears of a failure; nobody may be asking any more.
    keys.catch(() => {});
    known.set(issuer, { keys, fetchedMs: deps.systemClock.now() });
    return keys;
  };
  return {
    async of(issuer, keyId) {
      const entry = known.get(issuer);
      const ageMs = entry ? deps.systemClock.now() - entry.fetchedMs : keptMs;
      if (!entry || ageMs >= keptMs || ageMs < 0) return fetchNow(issuer);
      const keys = await entry.keys.catch((error: unknown) => {
        if (ageMs < againMs) throw error;
        return [];
      });
      const named = keys.some((key) => keyId === undefined || key.keyId === keyId);
      return named || ageMs < againMs ? keys : fetchNow(issuer);
    },
  };
}

/** AWS: the discovery document names the address of the keys; both are read over HTTPS. */
async function fetchKeys(
  { fetchJson }: ProviderKeysDependencies,
  issuer: string,
): Promise<readonly ProviderKey[]> {
  try {
    const discovery = await fetchJson(`https://${issuer}/.well-known/openid-configuration`);
    const address = memberOf(discovery, "jwks_uri");
    if (typeof address !== "string" || !address.startsWith("https://")) {
      throw new Error("the discovery document names no jwks_uri over HTTPS");
    }
    const named = memberOf(discovery, "issuer");
    if (typeof named !== "string" || named.replace(/\/$/, "") !== `https://${issuer}`) {
      throw new Error("the discovery document is of another issuer");
    }
    const list = memberOf(await fetchJson(address), "keys");
    return Array.isArray(list) ? list.slice(0, keysMax).flatMap(readKey) : [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // AWS?: the text.
    throw new Refusal(
      "IDPCommunicationError",
      `Couldn't retrieve verification key from your identity provider: ${why}`,
      { status: 400 },
    );
  }
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const members = value as { readonly [member: string]: Json };
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** Keys that do not sign, or with another algorithm, are passed over. */
function readKey(jwk: Json): readonly ProviderKey[] {
  const text = (name: string) => {
    const value = memberOf(jwk, name);
    return typeof value === "string" ? value : undefined;
  };
  const algorithm = algorithmOf(text("kty"), text("crv"));
  if (algorithm === undefined || (text("alg") ?? algorithm) !== algorithm) return [];
  if ((text("use") ?? "sig") !== "sig") return [];
  try {
    const names = algorithm === "RS256" ? ["kty", "n", "e"] : ["kty", "crv", "x", "y"];
    const members = Object.fromEntries(names.map((name) => [name, text(name)]));
    const key = createPublicKey({ key: members, format: "jwk" });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    if (algorithm === "RS256" && (bits === undefined || bits < 2048)) return [];
    return [{ keyId: text("kid"), algorithm, key }];
  } catch {
    return [];
  }
}

function algorithmOf(
  type: string | undefined,
  curve: string | undefined,
): TokenAlgorithm | undefined {
  if (type === "RSA") return "RS256";
  return type === "EC" && curve === "P-256" ? "ES256" : undefined;
}
