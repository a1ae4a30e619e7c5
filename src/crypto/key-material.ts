import { createHmac, createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { assert, Fault } from "../kernel/errors.ts";
import { type KeyForm, type KeySpec, keyForm } from "../kernel/key-specs.ts";
import type { KeyIdentity } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { labels } from "./constants.ts";
import { namesCurve } from "./named-curve.ts";

/** Material in the clear: raw bytes of a secret key, PKCS #8 DER of a private one. */
export interface ClearMaterial {
  /** The receiver wipes it. */
  readonly material: Buffer;
  /** SPKI DER, of key pairs. */
  readonly publicKey: Buffer | undefined;
}

/** PKCS #8 of an ML-DSA key that holds its seed alone, as OpenSSL writes it. */
const mlDsaSeedFormBytes = 54;
const rsaExponent = 65_537n;

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<{ publicKey: Buffer; privateKey: Buffer }>;

/**
 * Fresh material of any spec. Key pairs are made on the thread pool: RSA takes seconds.
 *
 * Throws Fault `key-spec-unsupported` where this runtime has no such algorithm.
 */
export async function generateMaterial(spec: KeySpec, random: Random): Promise<ClearMaterial> {
  const form = keyForm(spec);
  if (form.family === "symmetric" || form.family === "hmac") {
    return { material: random.bytes(form.bytes), publicKey: undefined };
  }
  const [type, options] = generation(form);
  const encodings = {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  };
  try {
    const { publicKey, privateKey } = await generate(type, { ...options, ...encodings });
    return { material: own(privateKey), publicKey };
  } catch (error) {
    if (form.family !== "ml-dsa") throw error;
    throw new Fault("key-spec-unsupported", `this server's runtime has no ${spec}`, {
      cause: error,
    });
  }
}

type PairForm = Exclude<KeyForm, { family: "symmetric" | "hmac" }>;

function generation(form: PairForm): readonly [string, object] {
  switch (form.family) {
    case "rsa":
      return ["rsa", { modulusLength: form.bits }];
    case "ec":
      return ["ec", { namedCurve: form.curve }];
    case "ed25519":
      return ["ed25519", {}];
    case "ml-dsa":
      return [form.type, {}];
  }
}

/** Material that came from outside, checked to be of this spec; undefined: it is not. */
export function checkMaterial(spec: KeySpec, bytes: Uint8Array): ClearMaterial | undefined {
  const form = keyForm(spec);
  if (form.family === "symmetric" || form.family === "hmac") {
    return bytes.length === form.bytes ? { material: own(bytes), publicKey: undefined } : undefined;
  }
  try {
    const key = createPrivateKey({ key: Buffer.from(bytes), format: "der", type: "pkcs8" });
    const facts = key.asymmetricKeyDetails ?? {};
    if (!isOfForm(form, key.asymmetricKeyType, facts)) return undefined;
    const exported = key.export({ type: "pkcs8", format: "der" });
    if (form.family === "ml-dsa" && exported.length !== mlDsaSeedFormBytes) return undefined;
    const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
    if (form.family === "ec" && !namesCurve(publicKey, form.curve)) return undefined;
    return { material: own(exported), publicKey };
  } catch {
    return undefined;
  }
}

function isOfForm(
  form: PairForm,
  type: string | undefined,
  facts: { modulusLength?: number; publicExponent?: bigint; namedCurve?: string },
): boolean {
  switch (form.family) {
    case "rsa":
      return (
        type === "rsa" && facts.modulusLength === form.bits && facts.publicExponent === rsaExponent
      );
    case "ec":
      return type === "ec" && facts.namedCurve === form.curve;
    case "ed25519":
      return type === "ed25519";
    case "ml-dsa":
      return type === form.type;
  }
}

/**
 * Id of imported material: the same bytes in the same key have the same id again. A MAC under the
 * material, so it reveals nothing of a key that nobody could guess.
 */
export function importedMaterialId(identity: KeyIdentity, material: Uint8Array): string {
  assert(material.length > 0, "material has bytes");
  const name = `${labels.importedMaterialId}\n${identity.accountId}\n${identity.keyId}\n`;
  return createHmac("sha256", material).update(name).digest("hex");
}

function own(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  bytes.fill(0);
  return copy;
}
