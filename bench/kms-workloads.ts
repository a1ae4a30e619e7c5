import type { LoadCase } from "./cases.ts";
import { kms, type RequestSpec } from "./requests.ts";
import type { ServerAddress } from "./server.ts";
import type { Clients } from "./setup.ts";
import { fixed, placeOf } from "./workloads.ts";

/** What the KMS is asked with. */
export interface KmsKeys {
  readonly symmetric: string;
  /** Base64 of what the symmetric key encrypted. */
  readonly ciphertext: string;
  readonly rsa: string;
  readonly curve: string;
}

const plaintext = Buffer.alloc(32, 7);

export async function createKmsKeys({ kms: client }: Clients): Promise<KmsKeys> {
  const create = async (KeySpec?: "RSA_2048" | "ECC_NIST_P256") => {
    const input = KeySpec && ({ KeySpec, KeyUsage: "SIGN_VERIFY" } as const);
    const { KeyMetadata } = await client.createKey(input ?? {});
    return KeyMetadata?.KeyId ?? "";
  };
  const symmetric = await create();
  const sealed = await client.encrypt({ KeyId: symmetric, Plaintext: plaintext });
  return {
    symmetric,
    ciphertext: Buffer.from(sealed.CiphertextBlob ?? []).toString("base64"),
    rsa: await create("RSA_2048"),
    curve: await create("ECC_NIST_P256"),
  };
}

/** The KMS itself, over HTTPS. */
export function kmsWorkloads(server: ServerAddress, keys: KmsKeys): LoadCase[] {
  const KeyId = keys.symmetric;
  const text = plaintext.toString("base64");
  const sign = (key: string, SigningAlgorithm: string) =>
    kms("Sign", { KeyId: key, Message: text, SigningAlgorithm });
  const requests: readonly (readonly [name: string, request: RequestSpec])[] = [
    ["GenerateDataKey", kms("GenerateDataKey", { KeyId, KeySpec: "AES_256" })],
    ["Encrypt", kms("Encrypt", { KeyId, Plaintext: text })],
    ["Decrypt", kms("Decrypt", { CiphertextBlob: keys.ciphertext })],
    ["Sign, ECC_NIST_P256", sign(keys.curve, "ECDSA_SHA_256")],
    ["Sign, RSA_2048", sign(keys.rsa, "RSASSA_PKCS1_V1_5_SHA_256")],
  ];
  const place = placeOf(server, "https");
  return requests.map(([name, request]) => ({
    target: { ...place, name: `KMS ${name}, https`, work: fixed(request) },
    subject: "sealpost",
    operation: `KMS ${name}`,
    scheme: "https",
    connections: 64,
    bodyBytes: 0,
    floor: "bare node:https",
    short: name === "GenerateDataKey",
  }));
}
