import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Fault } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";
import type { SecretBox } from "../../kernel/secrets.ts";

/** Why something was denied, for those who may read it: sts:DecodeAuthorizationMessage opens it. */
export interface AuthorizationMessages {
  encode(accountId: string, message: Json): string;
  /** undefined: not a message of this account. */
  decode(accountId: string, encoded: string): Json | undefined;
}

const messageBytesMax = 64 * 1024;

export function createAuthorizationMessages(secrets: SecretBox): AuthorizationMessages {
  const contextOf = (accountId: string) => `sts.authorization-message|${accountId}`;
  return {
    encode(accountId, message) {
      const packed = deflateRawSync(Buffer.from(JSON.stringify(message)));
      return secrets.seal(packed, contextOf(accountId));
    },
    decode(accountId, encoded) {
      try {
        const packed = secrets.open(encoded, contextOf(accountId));
        const text = inflateRawSync(packed, { maxOutputLength: messageBytesMax }).toString();
        return JSON.parse(text);
      } catch (error) {
        if (error instanceof Fault) return undefined;
        throw error;
      }
    },
  };
}
