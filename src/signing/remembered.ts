import { hash } from "node:crypto";
import { Fault } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { type Signer, signatureChars } from "./signer.ts";

export type SignatureVersion = "1" | "2";

/**
 * Signatures, made once for each text. They are a function of text and key (PKCS #1 v1.5 takes no
 * randomness), so none is stored: what memory forgot, or a crash took, is made again, byte for byte
 * the same.
 */
export interface RememberedSigner {
  /** Characters of every signature. */
  readonly signatureChars: number;
  /** Base64 signature of the text, as `Signer.sign` makes it. */
  sign(version: SignatureVersion, text: string): Promise<string>;
  /** A short name of what is to be signed: who has it needs the text only if it was forgotten. */
  nameOf(version: SignatureVersion, text: string): string;
  /** The signature of that name. Rejects with a Fault where the text is none of that name. */
  signed(name: string, text: () => string): Promise<string>;
  /**
   * Signs in the background, one text after the other, for whoever comes later. Too much at once,
   * or too much that nobody asked for yet, and the text is let go: then the first who asks waits.
   */
  ahead(name: string, text: string): void;
  certificateUrl(): string;
  prepare(): Promise<void>;
}

export interface RememberedOptions {
  readonly signer: Pick<Signer, "sign" | "certificateUrl" | "prepare">;
  readonly log: Log;
  /** Signatures in memory, about 600 bytes each. */
  readonly signaturesMax?: number;
  /** Texts that wait to be signed ahead, in UTF-16 units. */
  readonly waitingCharsMax?: number;
}

interface Entry {
  readonly signature: Promise<string>;
  asked: boolean;
}

export function rememberSignatures(options: RememberedOptions): RememberedSigner {
  const { signer, log, signaturesMax = 16_384, waitingCharsMax = 8_388_608 } = options;
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  const waiting = new Map<string, string>();
  let waitingChars = 0;
  /** Entries that nobody asked for yet. */
  let unasked = 0;
  let running = false;

  const forget = (name: string, entry: Entry): void => {
    if (entries.get(name) !== entry) return;
    entries.delete(name);
    if (!entry.asked) unasked -= 1;
  };
  const add = (name: string, text: string, asked: boolean): Entry => {
    const entry = { signature: signer.sign(versionOf(name), text), asked };
    entries.set(name, entry);
    if (!asked) unasked += 1;
    for (const [oldest, old] of entries) {
      if (entries.size <= signaturesMax) break;
      forget(oldest, old);
    }
    // A key that could not be read now may be read later.
    entry.signature.catch(() => forget(name, entry));
    return entry;
  };
  const take = (name: string): string | undefined => {
    const text = waiting.get(name);
    if (text === undefined) return undefined;
    waiting.delete(name);
    waitingChars -= text.length;
    return text;
  };
  const run = async (): Promise<void> => {
    for (const name of waiting.keys()) {
      const text = take(name);
      if (text === undefined || entries.has(name)) continue;
      await add(name, text, false).signature.catch((error: unknown) => {
        log.warn("a notification was not signed ahead; its receiver will wait", { error });
      });
    }
    running = false;
  };
  const signed = async (name: string, text: () => string): Promise<string> => {
    const known = entries.get(name);
    if (known) {
      entries.delete(name);
      entries.set(name, known);
      if (!known.asked) unasked -= 1;
      known.asked = true;
      return known.signature;
    }
    return add(name, take(name) ?? checked(name, text()), true).signature;
  };
  return {
    signatureChars,
    nameOf,
    signed,
    async sign(version, text) {
      return signed(nameOf(version, text), () => text);
    },
    ahead(name, text) {
      const full = waitingChars + text.length > waitingCharsMax;
      if (full || unasked + waiting.size >= signaturesMax / 2) return;
      if (entries.has(name) || waiting.has(name)) return;
      waiting.set(name, text);
      waitingChars += text.length;
      if (running) return;
      running = true;
      void run();
    },
    certificateUrl: () => signer.certificateUrl(),
    prepare: () => signer.prepare(),
  };
}

/** A short name of a signature; ASCII. */
export function nameOf(version: SignatureVersion, text: string): string {
  return version + hash("sha256", text, "base64");
}

function versionOf(name: string): SignatureVersion {
  return name.startsWith("1") ? "1" : "2";
}

function checked(name: string, text: string): string {
  if (nameOf(versionOf(name), text) === name) return text;
  throw new Fault("body-authentication", "a text is not the one that was to be signed");
}
