import { BlockList, isIP } from "node:net";

/** An address as one text per host: IPv4-mapped IPv6 loses its prefix, a zone its name. */
export function plainAddress(address: string): string {
  const bare = address.startsWith("::ffff:") ? address.slice(7) : address;
  return (isIP(bare) === 4 ? bare : address).split("%", 1)[0] ?? "";
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || (plain.startsWith("127.") && isIP(plain) === 4);
}

/** True for the hosts that only this machine reaches: loopback addresses and `localhost`. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || isLoopbackAddress(host);
}

/** A set of addresses, made of CIDR blocks. */
export interface AddressSet {
  has(address: string): boolean;
}

/**
 * Builds a set from `10.0.0.0/8`, `fd00::/8` or single addresses. Throws Error for a text that is
 * no block, and for a block of every address: trusting everybody's headers is never meant.
 */
export function addressSet(blocks: readonly string[]): AddressSet {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", prefixText, ...rest] = block.split("/");
    const version = isIP(address);
    if (version === 0 || rest.length > 0) throw new Error(`\`${block}\` is not a CIDR block`);
    const bitsMax = version === 4 ? 32 : 128;
    const prefix = prefixText === undefined ? bitsMax : Number(prefixText);
    if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) {
      throw new Error(`\`${block}\` is not a CIDR block`);
    }
    if (prefix > bitsMax) throw new Error(`\`${block}\` is not a CIDR block`);
    if (prefix === 0) throw new Error(`\`${block}\` would trust every address`);
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return {
    has(address) {
      const plain = plainAddress(address);
      const version = isIP(plain);
      return version !== 0 && list.check(plain, version === 4 ? "ipv4" : "ipv6");
    },
  };
}
