import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { networkInterfaces } from "node:os";
import { createTargets, type TargetRules, type Targets } from "./targets.ts";

/**
 * The one check of every target of this server. `ownPorts`: those that it listens on, none while it
 * does not.
 */
export function openTargets(
  rules: Pick<TargetRules, "allow" | "allowPrivate">,
  ownPorts: () => readonly number[],
): Targets {
  return createTargets({
    ...rules,
    own: () => ({ addresses: ownAddresses(), ports: ownPorts() }),
    lookup: (host) => lookup(host, { all: true }),
  });
}

/** How a connection finds the address of its URL's host. */
export type Reach = (url: URL) => Promise<LookupFunction>;

/**
 * INVARIANT: the socket goes to the address that was checked; nothing is resolved anew. Rejects
 * with TargetRefused or the resolver's error.
 */
export function reachThrough(targets: Targets): Reach {
  return async (url) => {
    const { address, family } = await targets.resolve(url.hostname, portOf(url));
    return (_host, options, done) => {
      if (options.all) done(null, [{ address, family }]);
      else done(null, address, family);
    };
  };
}

/** The port of an http(s) address. */
export function portOf({ protocol, port }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).map(({ address }) => address),
  );
}
