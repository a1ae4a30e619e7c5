import { execFileSync, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { LoadCase } from "./cases.ts";
import { startScript } from "./processes.ts";
import { pause } from "./server.ts";
import { clientsAt, createSome, type TopicName } from "./setup.ts";
import { peerWorkloads } from "./workloads.ts";

const credentials = { accessKeyId: "AKIAPEER", secretAccessKey: "peer" };

export interface Peers {
  readonly cases: readonly LoadCase[];
  /** Peers that are not on this machine, with the reason. */
  readonly absent: readonly string[];
  stop(): void;
}

/** Where none is asked. */
export const noPeers: Peers = { cases: [], absent: [], stop: () => undefined };

interface Peer {
  readonly name: "fauxqs" | "moto";
  readonly pid: number;
  readonly port: number;
  stop(): void;
}

/**
 * Emulators that are here, in plain HTTP and in memory, with the resources of our own servers. The
 * short form asks fauxqs alone.
 */
export async function startPeers(topics: readonly TopicName[], short: boolean): Promise<Peers> {
  const moto = short ? "moto: in the full form only" : await startMoto();
  const started = [await startFauxqs(), moto];
  const here = started.filter((peer) => typeof peer !== "string");
  const cases: LoadCase[] = [];
  for (const { name, pid, port } of here) {
    const clients = clientsAt(`http://localhost:${port}`, credentials);
    const resources = await createSome(clients, "no SSE", topics);
    cases.push(...peerWorkloads({ pid, port, ca: undefined, ...credentials }, name, resources));
  }
  return {
    cases,
    absent: started.filter((peer) => typeof peer === "string"),
    stop() {
      for (const peer of here) peer.stop();
    },
  };
}

/** On the Node that runs us. */
async function startFauxqs(): Promise<Peer> {
  const { child, first } = await startScript<{ port: number }>("peer-fauxqs.ts", []);
  return {
    name: "fauxqs",
    pid: child.pid ?? 0,
    port: first.port,
    stop: () => void child.kill("SIGTERM"),
  };
}

/** Where a Python is that has it; it is none of our dependencies. */
async function startMoto(): Promise<Peer | string> {
  try {
    execFileSync("python3", ["-c", "import moto.server"], { stdio: "ignore" });
  } catch {
    return "moto: not present (python3 cannot import moto.server)";
  }
  const port = await freePort();
  const flags = ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)];
  const child = spawn("python3", flags, { stdio: "ignore" });
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/moto-api/`).catch(() => undefined);
    if (answer) {
      await answer.arrayBuffer();
      return { name: "moto", pid: child.pid ?? 0, port, stop: () => void child.kill("SIGTERM") };
    }
    await pause(200);
  }
  child.kill("SIGTERM");
  return "moto: it did not start in 20 s";
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
