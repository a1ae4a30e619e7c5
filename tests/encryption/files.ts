import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Every form in which a secret could lie in a file: raw, base64 (any alignment), hex, UTF-16. */
export function formsOf(secret: Buffer): readonly Buffer[] {
  const texts = [
    secret.toString("hex"),
    secret.toString("hex").toUpperCase(),
    ...[0, 1, 2].flatMap((shift) => {
      // Whole groups of three bytes look the same whatever stands around them.
      const whole = secret.subarray(shift, shift + Math.floor((secret.length - shift) / 3) * 3);
      return [whole.toString("base64"), whole.toString("base64url")];
    }),
  ];
  const wide = Buffer.from(secret.toString("utf8"), "utf16le");
  return [secret, ...texts.map((text) => Buffer.from(text)), wide, Buffer.from(wide).swap16()];
}

/** Files below `folder` that hold one of these byte strings, as paths. */
export function filesWith(folder: string, needles: readonly Buffer[]): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const bytes = readFileSync(file);
      return needles.some((needle) => bytes.includes(needle));
    });
}
