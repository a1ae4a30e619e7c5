import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";

export interface TestKey {
  readonly keyId: string;
  readonly algorithm: "RS256" | "ES256";
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function testKey(keyId: string, algorithm: TestKey["algorithm"]): TestKey {
  const pair =
    algorithm === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { keyId, algorithm, ...pair };
}

/** The public half as an issuer shows it. */
export function jwkOf({ keyId, algorithm, publicKey }: TestKey): object {
  return { ...publicKey.export({ format: "jwk" }), kid: keyId, alg: algorithm, use: "sig" };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token as an issuer makes it; `header` overrides, to make it wrong. */
export function makeToken(key: TestKey, claims: object, header: object = {}): string {
  const signed = `${part({ alg: key.algorithm, kid: key.keyId, typ: "JWT", ...header })}.${part(claims)}`;
  const { privateKey } = key;
  const how =
    key.algorithm === "ES256"
      ? { key: privateKey, dsaEncoding: "ieee-p1363" as const }
      : privateKey;
  return `${signed}.${sign("sha256", Buffer.from(signed), how).toString("base64url")}`;
}

/** A token whose "signature" is a MAC under the public key: the classic mix-up of algorithms. */
export function makeMacToken(key: TestKey, claims: object): string {
  const signed = `${part({ alg: "HS256", kid: key.keyId })}.${part(claims)}`;
  const secret = key.publicKey.export({ format: "pem", type: "spki" });
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

export interface Issuer {
  /** `localhost:port` */
  readonly name: string;
  keys: readonly TestKey[];
  requests: number;
  stop(): Promise<void>;
}

/** An identity provider on loopback: its discovery document and its keys. */
export async function startIssuer(
  tls: { readonly key: string; readonly cert: string },
  keys: readonly TestKey[],
): Promise<Issuer> {
  const server: Server = createServer(tls, (request, response) => {
    issuer.requests++;
    const answers: Record<string, object> = {
      "/.well-known/openid-configuration": {
        issuer: `https://${issuer.name}`,
        jwks_uri: `https://${issuer.name}/keys`,
      },
      "/keys": { keys: issuer.keys.map(jwkOf) },
    };
    const answer = answers[request.url ?? ""];
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const issuer: Issuer = {
    name: `localhost:${(server.address() as AddressInfo).port}`,
    keys,
    requests: 0,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return issuer;
}
