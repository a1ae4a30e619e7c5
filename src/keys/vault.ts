import { blobIdentity, readBlobHeader } from "../crypto/blob.ts";
import { canonicalContext } from "../crypto/context.ts";
import type {
  CryptoRequest,
  ImportRefusal,
  KeyIdentity,
  KeyUse,
  KeyVault,
  SignatureQuestion,
  WrappedMaterial,
} from "../kernel/keyvault.ts";
import { type Field, openField, operations, ownField, textField } from "./protocol.ts";

type Read<T> = (fields: readonly Buffer[]) => T;
type Ask = <T>(operation: number, fields: readonly Field[], read: Read<T>) => Promise<T>;

/** Carries an operation to the key process for another thread. What it answers is its own. */
export type KeyRelay = (
  operation: number,
  fields: readonly Field[],
) => Promise<readonly Uint8Array<ArrayBuffer>[]>;

/** The vault for a thread that reaches the key process through another one. */
export function relayedVault(relay: KeyRelay): KeyVault {
  return vaultOn(async (operation, fields, read) => {
    const answer = await relay(operation, fields);
    try {
      return read(answer.map((each) => Buffer.from(each.buffer, 0, each.length)));
    } finally {
      for (const each of answer) each.fill(0);
    }
  });
}

/** The vault's port, spoken in frames to the present key process: by `ask`, see Link.request. */
export function vaultOn(ask: Ask): KeyVault {
  return {
    ...materialCalls(ask),
    ...cipherCalls(ask),
    ...keyCalls(ask),
    identify: readBlobHeader,
    forget: (materialId) => ask(operations.forget, [materialId], () => undefined),
  };
}

type MaterialCalls = Pick<KeyVault, "createMaterial" | "importParameters" | "importMaterial">;

function materialCalls(ask: Ask): MaterialCalls {
  return {
    createMaterial: ({ accountId, keyId, keySpec = "SYMMETRIC_DEFAULT" }) =>
      ask(operations.createMaterial, [accountId, keyId, keySpec], readMaterial),
    importParameters(asked) {
      const { accountId, keyId, region, wrappingSpec, wrappingAlgorithm, validToMs } = asked;
      return ask(
        operations.importParameters,
        [accountId, keyId, region, wrappingSpec, wrappingAlgorithm, String(validToMs)],
        (fields) => ({ publicKey: ownField(fields, 0), token: ownField(fields, 1) }),
      );
    },
    importMaterial({ accountId, keyId, region, keySpec, token, encryptedMaterial, nowMs }) {
      return ask(
        operations.importMaterial,
        [accountId, keyId, region, keySpec, token, encryptedMaterial, String(nowMs)],
        (fields) =>
          fields.length === 1
            ? { outcome: textField(fields, 0) as ImportRefusal["outcome"] }
            : { outcome: "imported" as const, ...readMaterial(fields) },
      );
    },
  };
}

type CipherCalls = Pick<
  KeyVault,
  "encrypt" | "decrypt" | "reEncrypt" | "generateDataKey" | "generateKeyPair"
>;

function cipherCalls(ask: Ask): CipherCalls {
  return {
    encrypt: async (asked) =>
      ask(operations.encrypt, [...cipherFields(asked), asked.plaintext], shown),
    decrypt: async (asked) =>
      ask(operations.decrypt, [...cipherFields(asked), asked.blob], firstIfAny),
    reEncrypt: async (source, destination) =>
      ask(
        operations.reEncrypt,
        [...cipherFields(source), source.blob, ...cipherFields(destination)],
        (fields) =>
          fields.length === 1
            ? openField(fields, 0)
            : (textField(fields, 1) as "unopened" | "too-long"),
      ),
    generateDataKey: async (asked) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(asked.lengthBytes);
      return ask(operations.generateDataKey, [...cipherFields(asked), length], (fields) => ({
        plaintext: ownField(fields, 0),
        // No secret, but kept for as long as the data key: it would keep all that it shares with.
        blob: ownField(fields, 1),
      }));
    },
    generateKeyPair: async (asked) =>
      ask(
        operations.generateKeyPair,
        [...cipherFields(asked), asked.pairSpec, asked.withPlaintext ? "1" : ""],
        (fields) => ({
          publicKey: openField(fields, 0),
          blob: openField(fields, 1),
          plaintext: fields.length > 2 ? ownField(fields, 2) : undefined,
        }),
      ),
  };
}

type KeyCalls = Pick<KeyVault, "sign" | "verify" | "mac" | "verifyMac" | "agree">;

function keyCalls(ask: Ask): KeyCalls {
  return {
    sign: (asked) => ask(operations.sign, [...keyFields(asked), ...questionFields(asked)], shown),
    verify: (asked) =>
      ask(
        operations.verify,
        [...keyFields(asked), ...questionFields(asked), asked.signature],
        isSet,
      ),
    mac: (asked) => ask(operations.mac, [...keyFields(asked), asked.message], shown),
    verifyMac: (asked) =>
      ask(operations.verifyMac, [...keyFields(asked), asked.message, asked.mac], isSet),
    agree: (asked) => ask(operations.agree, [...keyFields(asked), asked.publicKey], firstIfAny),
  };
}

/** Blobs, signatures and MACs are for everybody. */
const shown: Read<Buffer> = (fields) => openField(fields, 0);
const firstIfAny: Read<Buffer | undefined> = (fields) =>
  fields.length === 0 ? undefined : ownField(fields, 0);
const isSet: Read<boolean> = (fields) => textField(fields, 0) === "1";

function readMaterial(fields: readonly Buffer[]): WrappedMaterial {
  const publicKey = ownField(fields, 2);
  return {
    materialId: textField(fields, 0),
    wrapped: ownField(fields, 1),
    ...(publicKey.length > 0 && { publicKey }),
  };
}

function cipherFields({ accountId, keyId, material, context, rsa }: CryptoRequest): Field[] {
  const { wrapped, publicKey } = material;
  const identity = identityOf({ accountId, keyId }, material);
  if (rsa) {
    const how = `${rsa.keySpec} ${rsa.algorithm}`;
    return [identity, wrapped, "", how, publicKey ?? ""];
  }
  return [identity, wrapped, canonicalContext(context), "", ""];
}

function keyFields({ accountId, keyId, material, keySpec }: KeyUse): Field[] {
  const { wrapped, publicKey } = material;
  return [identityOf({ accountId, keyId }, material), wrapped, keySpec, publicKey ?? ""];
}

interface Known extends KeyIdentity {
  readonly identity: Buffer;
}

/** Callers hold the same material as long as they know the same key. */
const identities = new WeakMap<WrappedMaterial, Known>();

function identityOf({ accountId, keyId }: KeyIdentity, material: WrappedMaterial): Buffer {
  const known = identities.get(material);
  if (known?.keyId === keyId && known.accountId === accountId) return known.identity;
  const identity = blobIdentity({ accountId, keyId, materialId: material.materialId });
  identities.set(material, { accountId, keyId, identity });
  return identity;
}

function questionFields({ algorithm, messageType, message }: SignatureQuestion): Field[] {
  return [algorithm, messageType, message];
}
