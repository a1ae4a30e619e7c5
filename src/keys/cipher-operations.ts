import { openBlob, sealBlob } from "../crypto/blob.ts";
import { decryptRsa, encryptRsa } from "../crypto/signature.ts";
import { assert } from "../kernel/errors.ts";
import { isKeySpec, type KeySpec } from "../kernel/key-specs.ts";
import type { Materials } from "./materials.ts";
import { cipherFieldCount, type Field, field, textField } from "./protocol.ts";

/** A key and how it is to seal or open, from the cipher fields of a frame. */
interface Cipher {
  readonly identity: Buffer;
  readonly wrapped: Buffer;
  readonly contextBytes: Buffer;
  readonly rsa:
    | { readonly spec: KeySpec; readonly algorithm: string; publicKey: Buffer }
    | undefined;
}

/** Sealing and opening, symmetric and RSA. */
export class CipherOperations {
  readonly #materials: Materials;

  constructor(materials: Materials) {
    this.#materials = materials;
  }

  /** The plaintext stands after the cipher fields. */
  encrypt(fields: readonly Buffer[]): readonly Field[] {
    const sealed = this.#seal(readCipher(fields, 0), field(fields, cipherFieldCount));
    assert(sealed !== undefined, "the server checked the length of the plaintext");
    return [sealed];
  }

  decrypt(fields: readonly Buffer[]): readonly Field[] {
    const plaintext = this.#open(readCipher(fields, 0), field(fields, cipherFieldCount));
    return plaintext === undefined ? [] : [plaintext];
  }

  /** Blob, or the empty blob and why there is none. */
  reEncrypt(fields: readonly Buffer[]): readonly Field[] {
    const plaintext = this.#open(readCipher(fields, 0), field(fields, cipherFieldCount));
    if (plaintext === undefined) return ["", "unopened"];
    try {
      const sealed = this.#seal(readCipher(fields, cipherFieldCount + 1), plaintext);
      return sealed === undefined ? ["", "too-long"] : [sealed];
    } finally {
      plaintext.fill(0);
    }
  }

  /** Seals under the symmetric key of the cipher fields. */
  sealFresh(fields: readonly Buffer[], plaintext: Uint8Array): Buffer {
    const sealed = this.#seal(readCipher(fields, 0), plaintext);
    assert(sealed !== undefined, "fresh keys fit into a blob");
    return sealed;
  }

  #seal(
    { identity, wrapped, contextBytes, rsa }: Cipher,
    plaintext: Uint8Array,
  ): Buffer | undefined {
    if (rsa) return encryptRsa(rsa.spec, rsa.algorithm, rsa.publicKey, plaintext);
    const material = this.#materials.open(identity, wrapped, "SYMMETRIC_DEFAULT");
    return sealBlob({ material, identity, contextBytes, plaintext });
  }

  #open({ identity, wrapped, contextBytes, rsa }: Cipher, blob: Uint8Array): Buffer | undefined {
    const material = this.#materials.open(identity, wrapped, rsa?.spec ?? "SYMMETRIC_DEFAULT");
    if (rsa) return decryptRsa(rsa.algorithm, material, blob);
    return openBlob({ material, identity, contextBytes, blob });
  }
}

function readCipher(fields: readonly Buffer[], at: number): Cipher {
  return {
    identity: field(fields, at),
    wrapped: field(fields, at + 1),
    contextBytes: field(fields, at + 2),
    rsa: field(fields, at + 3).length === 0 ? undefined : readRsa(fields, at),
  };
}

function readRsa(fields: readonly Buffer[], at: number): Cipher["rsa"] {
  const [spec = "", algorithm = ""] = textField(fields, at + 3).split(" ");
  assert(isKeySpec(spec), "a frame names a key spec");
  return { spec, algorithm, publicKey: field(fields, at + 4) };
}
