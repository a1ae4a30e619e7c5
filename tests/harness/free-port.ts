import { once } from "node:events";
import { createServer } from "node:net";

/** Below what Linux gives out by itself (32768 and more), to listeners and to clients. */
const lowest = 12_000;
const highest = 32_000;

/**
 * A port of 127.0.0.1 where nobody listens, for a program that is told its port. One that the
 * system chose would soon be given to somebody else.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
  throw new Error("no port is free");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, "listening").then(
    () => true,
    () => false,
  );
  server.listen(port, "127.0.0.1");
  if (!(await listening)) return false;
  server.close();
  await once(server, "close");
  return true;
}
