import { isIP } from "node:net";
import { addressSet, isLoopbackAddress, plainAddress } from "./addresses.ts";

/** What a server certificate names, and what the CA that issues it is limited to. */
export interface CertificateNames {
  /** DNS names and addresses, lower case. */
  readonly names: readonly string[];
  /** DNS trees: a name and everything below it. */
  readonly trees: readonly string[];
  /** `address/bits`. */
  readonly networks: readonly string[];
}

/** Names under which a server on this machine, in a container or in a composition is reached. */
const standardNames = ["localhost", "*.localhost", "sealpost", "host.docker.internal"];
const standardAddresses = ["127.0.0.1", "::1"];

/**
 * Names for a server: the standard ones, the host's, those of `--tls-name`. `hostName` counts only
 * if it is a DNS name.
 */
export function certificateNames(
  hostName: string,
  furtherNames: readonly string[],
): CertificateNames {
  const host = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(hostName) ? [hostName] : [];
  const all = [...standardNames, ...host, ...furtherNames].map((name) => name.toLowerCase());
  const dns = all.filter((name) => isIP(name) === 0);
  const addresses = [...standardAddresses, ...all.filter((name) => isIP(name) !== 0)];
  const further = addresses.map(plainAddress).filter((address) => !isLoopbackAddress(address));
  return {
    names: unique([...dns, ...addresses]),
    trees: unique(dns.map((name) => name.replace(/^\*\./, ""))),
    networks: unique([
      "127.0.0.0/8",
      "::1/128",
      ...further.map((address) => `${address}/${isIP(address) === 4 ? 32 : 128}`),
    ]),
  };
}

/** True if a CA limited to these trees and networks may issue a certificate for the name. */
export function permits(
  limits: { readonly trees: readonly string[]; readonly networks: readonly string[] },
  name: string,
): boolean {
  if (isIP(name) !== 0) return addressSet(limits.networks).has(name);
  const plain = name.replace(/^\*\./, "");
  return limits.trees.some((tree) => plain === tree || plain.endsWith(`.${tree}`));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
