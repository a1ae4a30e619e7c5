/** AlgorithmIdentifier (RFC 5480 §2.1.1): id-ecPublicKey, and the curve by its name. */
const identifiers: Readonly<Record<string, Buffer>> = {
  prime256v1: Buffer.from("301306072a8648ce3d020106082a8648ce3d030107", "hex"),
  secp384r1: Buffer.from("301006072a8648ce3d020106052b81040022", "hex"),
  secp521r1: Buffer.from("301006072a8648ce3d020106052b81040023", "hex"),
  secp256k1: Buffer.from("301006072a8648ce3d020106052b8104000a", "hex"),
};

/**
 * Whether a public key (SPKI DER) says by name that it is of this curve. OpenSSL also takes curves
 * that are spelled out in numbers, some of them altered or left out, and calls them by the name of
 * the curve that they resemble; RFC 5480 forbids that form, and no client of ours has a use for it.
 */
export function namesCurve(spki: Uint8Array, curve: string): boolean {
  const identifier = identifiers[curve];
  if (identifier === undefined) return false;
  const at = (spki[1] ?? 0) < 0x80 ? 2 : 3;
  return Buffer.compare(spki.subarray(at, at + identifier.length), identifier) === 0;
}
