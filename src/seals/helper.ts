/**
 * Entry of the seal helper: opens a seal that needs the network or a native library, writes the
 * root key to the pipe that leads to the key process, and ends. What it needs to know comes on
 * standard input; it has no environment.
 */
import { readFileSync, writeSync } from "node:fs";
import { Fault } from "../kernel/errors.ts";
import { openAwsKms } from "./aws-kms.ts";
import type { AwsCredentials } from "./aws-request.ts";
import { type AwsKmsSealSettings, encodeHelperAnswer, type HelperAnswer } from "./helper-seal.ts";
import { openPkcs11, type Pkcs11SealSettings } from "./pkcs11.ts";
import type { StoredSeal } from "./stored.ts";

export interface HelperRequest {
  readonly settings: Pkcs11SealSettings | AwsKmsSealSettings;
  /** null: nothing was sealed yet. */
  readonly stored: StoredSeal | null;
  readonly pin?: string;
  readonly credentials?: AwsCredentials;
}

const standardInput = 0;
const pipe = 1;

try {
  const request = JSON.parse(readFileSync(standardInput, "utf8")) as HelperRequest;
  answer(await open(request));
} catch (error) {
  const fault = error instanceof Fault ? error.kind : "seal-unavailable";
  answer({ fault, message: error instanceof Error ? error.message : String(error) });
}

function open({ settings, stored, pin, credentials }: HelperRequest): Promise<HelperAnswer> {
  const known = stored ?? undefined;
  if (settings.kind === "aws-kms") {
    const nowMs = Math.round(performance.timeOrigin + performance.now());
    return openAwsKms(settings, credentials, known, nowMs);
  }
  return openPkcs11(settings, pinOf(settings, pin), known);
}

function pinOf({ pinFile }: Pkcs11SealSettings, pin: string | undefined): string {
  const text = pinFile === undefined ? (pin ?? "") : readFileSync(pinFile, "utf8");
  const trimmed = text.replace(/\n$/, "");
  if (trimmed !== "") return trimmed;
  throw new Fault(
    "seal-unavailable",
    "the PIN is missing: set SEALPOST_SEAL_PIN or --seal-pin-file",
  );
}

function answer(said: HelperAnswer): void {
  const bytes = encodeHelperAnswer(said);
  for (let at = 0; at < bytes.length; ) at += writeSync(pipe, bytes, at);
  bytes.fill(0);
}
