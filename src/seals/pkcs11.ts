import { setTimeout as pause } from "node:timers/promises";
import { keyBytes, nonceBytes, tagBytes } from "../crypto/constants.ts";
import { systemRandom } from "../crypto/random.ts";
import { Fault } from "../kernel/errors.ts";
import type { HelperAnswer } from "./helper-seal.ts";
import type { StoredSeal } from "./stored.ts";

export interface Pkcs11SealSettings {
  readonly kind: "pkcs11";
  /** Absolute path of the token's library: `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  readonly tokenLabel: string;
  /** Label of the AES key in the token; it is made there if there is none. */
  readonly keyLabel: string;
  /** Absolute path of a file with the PIN; undefined: it comes apart from the settings. */
  readonly pinFile?: string;
  /** Environment of the library, and all that the helper has. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Waits before looking for the token again. */
const lookAgainAfterMs = [50, 150, 500, 1500] as const;

type Pkcs11 = typeof import("pkcs11js");
type Token = InstanceType<Pkcs11["PKCS11"]>;
type Handle = Buffer;

interface OpenToken {
  readonly names: Pkcs11;
  readonly token: Token;
  readonly session: Handle;
}

/**
 * The root key, sealed with AES-GCM by a key that never leaves the token. Runs in the helper.
 *
 * Throws Fault `seal-unavailable` if the token cannot be used, `root-key-wrong` if its key did not
 * seal this root key.
 */
export async function openPkcs11(
  settings: Pkcs11SealSettings,
  pin: string,
  stored: StoredSeal | undefined,
): Promise<HelperAnswer> {
  const names = await loadLibrary();
  const token = new names.PKCS11();
  try {
    token.load(settings.module);
  } catch (error) {
    throw unusable(settings, error);
  }
  const slot = await findToken(token, settings);
  try {
    const session = logIn(names, token, slot, settings, pin);
    const open = { names, token, session };
    return stored === undefined ? makeRoot(open, settings) : unwrap(open, settings, stored);
  } finally {
    token.C_Finalize();
  }
}

/**
 * The slot of the token, with the library initialised. A library may know its tokens only a while
 * after it was asked, and a token in files has no name for as long as another process writes it: so
 * this looks again a few times. It does not log in, which would use up tries of the PIN.
 */
async function findToken(token: Token, settings: Pkcs11SealSettings): Promise<Handle> {
  const { tokenLabel } = settings;
  for (const delayMs of lookAgainAfterMs) {
    const slot = lookForToken(token, settings);
    if (slot !== undefined) return slot;
    await pause(delayMs);
  }
  const slot = lookForToken(token, settings);
  if (slot === undefined) throw unavailable(`there is no PKCS #11 token ${tokenLabel}`);
  return slot;
}

function lookForToken(token: Token, settings: Pkcs11SealSettings): Handle | undefined {
  try {
    token.C_Initialize();
  } catch (error) {
    throw unusable(settings, error);
  }
  for (const slot of token.C_GetSlotList(true)) {
    try {
      if (token.C_GetTokenInfo(slot).label.trim() === settings.tokenLabel) return slot;
    } catch {
      // Not readable now: as good as not there.
    }
  }
  token.C_Finalize();
  return undefined;
}

async function loadLibrary(): Promise<Pkcs11> {
  try {
    const loaded = await import("pkcs11js");
    // A CommonJS package: only some of its members have names of their own.
    return "default" in loaded ? (loaded.default as Pkcs11) : loaded;
  } catch (error) {
    throw unavailable("the optional package pkcs11js is not installed", error);
  }
}

function logIn(
  names: Pkcs11,
  token: Token,
  slot: Handle,
  { tokenLabel }: Pkcs11SealSettings,
  pin: string,
): Handle {
  try {
    const flags = names.CKF_SERIAL_SESSION | names.CKF_RW_SESSION;
    const session = token.C_OpenSession(slot, flags);
    token.C_Login(session, names.CKU_USER, pin);
    return session;
  } catch (error) {
    throw unavailable(`the PKCS #11 token ${tokenLabel} cannot be opened`, error);
  }
}

function makeRoot(open: OpenToken, { tokenLabel, keyLabel }: Pkcs11SealSettings): HelperAnswer {
  const key = findKey(open, keyLabel) ?? makeKey(open, keyLabel);
  const rootKey = systemRandom.bytes(keyBytes);
  const nonce = systemRandom.bytes(nonceBytes);
  try {
    open.token.C_EncryptInit(open.session, mechanism(open.names, nonce), key);
    const room = Buffer.alloc(keyBytes + tagBytes);
    const sealed = open.token.C_Encrypt(open.session, rootKey, room);
    const sealedRoot = sealed.toString("base64");
    const names = { kind: "pkcs11", tokenLabel, keyLabel } as const;
    return { rootKey, stored: { ...names, nonce: nonce.toString("base64"), sealedRoot } };
  } catch (error) {
    throw unavailable("the token did not seal the root key (AES-GCM)", error);
  }
}

function unwrap(
  open: OpenToken,
  { keyLabel }: Pkcs11SealSettings,
  stored: StoredSeal,
): HelperAnswer {
  if (stored.kind !== "pkcs11") throw new Fault("root-key-damaged", "the seal is not a token's");
  const key = findKey(open, keyLabel);
  if (key === undefined) throw unavailable(`the token has no key ${keyLabel}`);
  const nonce = Buffer.from(stored.nonce, "base64");
  try {
    open.token.C_DecryptInit(open.session, mechanism(open.names, nonce), key);
    const sealed = Buffer.from(stored.sealedRoot, "base64");
    const room = Buffer.alloc(sealed.length);
    const opened = open.token.C_Decrypt(open.session, sealed, room);
    const rootKey = Buffer.allocUnsafeSlow(keyBytes);
    opened.copy(rootKey, 0, 0, keyBytes);
    room.fill(0);
    return { rootKey, stored };
  } catch {
    throw new Fault("root-key-wrong", `the token's key ${keyLabel} does not open this data folder`);
  }
}

function findKey({ names, token, session }: OpenToken, label: string): Handle | undefined {
  token.C_FindObjectsInit(session, [
    { type: names.CKA_CLASS, value: names.CKO_SECRET_KEY },
    { type: names.CKA_LABEL, value: label },
  ]);
  try {
    return token.C_FindObjects(session, 1)[0];
  } finally {
    token.C_FindObjectsFinal(session);
  }
}

function makeKey({ names, token, session }: OpenToken, label: string): Handle {
  try {
    return token.C_GenerateKey(session, { mechanism: names.CKM_AES_KEY_GEN }, [
      { type: names.CKA_CLASS, value: names.CKO_SECRET_KEY },
      { type: names.CKA_LABEL, value: label },
      { type: names.CKA_VALUE_LEN, value: keyBytes },
      { type: names.CKA_TOKEN, value: true },
      { type: names.CKA_PRIVATE, value: true },
      { type: names.CKA_SENSITIVE, value: true },
      { type: names.CKA_EXTRACTABLE, value: false },
      { type: names.CKA_ENCRYPT, value: true },
      { type: names.CKA_DECRYPT, value: true },
    ]);
  } catch (error) {
    throw unavailable(`the token did not make the key ${label}`, error);
  }
}

function mechanism(names: Pkcs11, nonce: Buffer) {
  const parameter = { type: names.CK_PARAMS_AES_GCM, iv: nonce, tagBits: tagBytes * 8 };
  return { mechanism: names.CKM_AES_GCM, parameter };
}

function unusable({ module }: Pkcs11SealSettings, error: unknown): Fault {
  return unavailable(`the PKCS #11 library ${module} cannot be used`, error);
}

function unavailable(what: string, cause?: unknown): Fault {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new Fault("seal-unavailable", `${what}${why}`, { cause });
}
