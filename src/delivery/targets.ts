import type { LookupAddress } from "node:dns";
import { BlockList, isIP } from "node:net";
import { addressSet } from "../gateway/addresses.ts";

/** A target that may be connected to: the address that was checked, and no other. */
export interface Target {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A target that the server must not reach out to. */
export class TargetRefused extends Error {
  override readonly name = "TargetRefused";
}

export interface TargetRules {
  /** `--allow-private-endpoints` */
  readonly allowPrivate: boolean;
  /** `--delivery-allow`: CIDR blocks, and names or addresses with a port. */
  readonly allow: readonly string[];
  /** Addresses of this machine and the ports that the server listens on. */
  readonly own: () => { readonly addresses: readonly string[]; readonly ports: readonly number[] };
  readonly lookup: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface Targets {
  /**
   * Resolves a host once. Whoever connects must use the answer: a name that changes its mind
   * between check and connection gains nothing. Throws TargetRefused, or the resolver's error.
   */
  resolve(host: string, port: number): Promise<Target>;
}

/**
 * What outgoing connections must not reach unasked: this machine, its networks, the metadata
 * services of clouds, addresses that stand for others, and what is no single host.
 */
const closedBlocks4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  // Azure's agent of every machine: public by its number only.
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
];
const closedBlocks6 = [
  "::/96",
  "::ffff:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

const closed4 = blockList(closedBlocks4, "ipv4");
const closed6 = blockList(closedBlocks6, "ipv6");

function blockList(
  blocks: readonly string[],
  family: "ipv4" | "ipv6",
  list = new BlockList(),
): BlockList {
  for (const block of blocks) {
    const [network = "", bits = ""] = block.split("/");
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}

/** True for an address that is closed unless the operator opens it. */
export function isClosedAddress(address: string): boolean {
  // Two lists: one that holds both families takes a mapped address for the one inside it.
  return isIP(address) === 6 ? closed6.check(address, "ipv6") : closed4.check(address, "ipv4");
}

/** Checks one value of `--delivery-allow`. Throws Error with the reason. */
export function checkDeliveryAllow(text: string): void {
  if (!isHostPort(text)) void addressSet([text]);
}

/** `host:port` or `[v6]:port`; blocks have a slash or are bare addresses. */
function isHostPort(text: string): boolean {
  return /^(\[[0-9A-Fa-f:.]+\]|[^/:[\]]+):\d{1,5}$/.test(text);
}

export function createTargets(rules: TargetRules): Targets {
  const hostPorts = new Set(rules.allow.filter(isHostPort).map((text) => text.toLowerCase()));
  const blocks = addressSet(rules.allow.filter((text) => !isHostPort(text)));
  return {
    async resolve(host, port) {
      const bare = host.replace(/^\[|\]$/g, "");
      const family = isIP(bare);
      const found = family ? [{ address: bare, family }] : await rules.lookup(bare);
      const named = family === 6 ? `[${bare}]:${port}` : `${bare}:${port}`;
      const opened = hostPorts.has(named.toLowerCase());
      for (const { address, family: kind } of found) {
        const inside = rules.allowPrivate || blocks.has(address) || !isClosedAddress(address);
        if (opened || (inside && !isOwn(rules, address, port))) {
          return { address, family: kind === 6 ? 6 : 4 };
        }
      }
      throw new TargetRefused(
        `${bare} is an address inside the operator's network; --delivery-allow ${named} or ` +
          "--allow-private-endpoints opens it",
      );
    },
  };
}

/**
 * A port of the server itself, by whatever address of this machine. Only its very name opens it:
 * blocks and `--allow-private-endpoints` mean others.
 */
function isOwn({ own }: TargetRules, address: string, port: number): boolean {
  const { addresses, ports } = own();
  if (!ports.includes(port)) return false;
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  return addresses.includes(address) || thisMachine.check(address, family);
}

/** What always leads to the machine itself. A list of both families knows mapped addresses too. */
const thisMachine = blockList(["::/127"], "ipv6", blockList(["0.0.0.0/8", "127.0.0.0/8"], "ipv4"));
