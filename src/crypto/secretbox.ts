import { Fault } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { labels, nonceBytes } from "./constants.ts";
import { presentRingKey, type RingKey } from "./keyring.ts";

/** Sealed secret: `s1.` and base64url of ring version(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16). */
const prefix = "s1.";
const nonceAt = 4;
const sealedAt = nonceAt + nonceBytes;

/** Secret box on the `secrets` keys of the ring: the present one seals, every one opens. */
export function createSecretBox(ring: readonly RingKey[], random: Random): SecretBox {
  const keys = ring.filter(({ purpose }) => purpose === "secrets");
  const present = presentRingKey(keys, "secrets");
  return {
    seal(secret, context) {
      const head = Buffer.alloc(sealedAt);
      head.writeUInt32BE(present.version);
      random.bytes(nonceBytes).copy(head, nonceAt);
      const associated = associate(head, context);
      const sealed = aeadSeal(present.key, head.subarray(nonceAt), associated, secret);
      return prefix + Buffer.concat([head, sealed]).toString("base64url");
    },
    open(sealed, context) {
      const secret = openSecret(keys, sealed, context);
      if (secret === undefined) {
        throw new Fault("sealed-secret", "a sealed secret does not open in its place");
      }
      return secret;
    },
  };
}

function openSecret(keys: readonly RingKey[], sealed: string, context: string): Buffer | undefined {
  if (!sealed.startsWith(prefix)) return undefined;
  const text = sealed.slice(prefix.length);
  const bytes = Buffer.from(text, "base64url");
  // The decoder passes over what it does not know; a sealed text has one form only.
  if (bytes.length < sealedAt || bytes.toString("base64url") !== text) return undefined;
  const key = keys.find(({ version }) => version === bytes.readUInt32BE());
  if (key === undefined) return undefined;
  const nonce = bytes.subarray(nonceAt, sealedAt);
  return aeadOpen(key.key, nonce, associate(bytes, context), bytes.subarray(sealedAt));
}

function associate(head: Buffer, context: string): Buffer {
  return Buffer.concat([
    Buffer.from(labels.secret),
    head.subarray(0, nonceAt),
    Buffer.from(context),
  ]);
}
