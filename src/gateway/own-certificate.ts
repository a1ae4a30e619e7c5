import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Log } from "../kernel/log.ts";
import type { CertificateSource } from "./certificates.ts";
import type { TlsMaterial } from "./server.ts";

export interface OwnCertificateOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** How often the files are looked at. */
  readonly checkMs: number;
  readonly log: Log;
}

/**
 * `--tls-cert` and `--tls-key`, read again when they change. Throws Error if the files cannot be
 * read or do not belong together; a later pair that is not good is logged, and the one in use
 * stays.
 */
export function openOwnCertificate(options: OwnCertificateOptions): CertificateSource {
  const { certFile, keyFile, log } = options;
  const listeners: ((material: TlsMaterial) => void)[] = [];
  let present = readPair(certFile, keyFile);

  function reload(): void {
    let next: TlsMaterial;
    try {
      next = readPair(certFile, keyFile);
    } catch (error) {
      // Often only one of the two files is written yet; its turn comes with the other's change.
      log.warn("the changed certificate is not used", { error });
      return;
    }
    if (next.cert === present.cert && next.key === present.key) return;
    present = next;
    log.info("certificate reloaded", { certFile });
    for (const listener of listeners) listener(next);
  }

  // Looking at intervals follows renamed files and replaced links as well, on every system.
  const watched = { interval: options.checkMs, persistent: false };
  for (const file of [certFile, keyFile]) watchFile(file, watched, reload);
  return {
    material: () => present,
    caFile: null,
    onChange: (listener) => void listeners.push(listener),
    close() {
      for (const file of [certFile, keyFile]) unwatchFile(file, reload);
    },
  };
}

/** Throws Error if the files cannot be read or do not belong together. */
export function readPair(certFile: string, keyFile: string): TlsMaterial {
  const cert = readFileSync(certFile, "utf8");
  const key = readFileSync(keyFile, "utf8");
  // The server's own certificate comes first in a chain.
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`the key in ${keyFile} is not that of the certificate in ${certFile}`);
  }
  return { cert, key };
}
