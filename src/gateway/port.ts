import { connect } from "node:net";

/** Another process listens on the port. */
export class PortInUse extends Error {
  override readonly name = "PortInUse";
}

/**
 * Throws PortInUse if somebody answers there. Binding alone does not tell on every system: a
 * listener on all addresses and one on a single address can share a port, and `reusePort` shares it
 * without a word.
 */
export async function refuseOccupiedPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const occupied = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: reachable(host), port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.on("connect", () => settle(true)).on("error", () => settle(false));
  });
  if (occupied)
    throw new PortInUse(
      `port ${port} on ${host} is in use: stop what listens there, or choose another with --port (0: any)`,
    );
}

/** Where a listener on all addresses can be reached from this machine. */
export function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "localhost" : host;
}
