import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "./measure.ts";
import { startScript } from "./processes.ts";
import { sqs, type Work } from "./requests.ts";
import { messageBody } from "./workloads.ts";

/** Bare servers with the same requests; their certificate is of the same kind as the product's. */
export async function startFloors(folder: string): Promise<{ targets: Target[]; stop(): void }> {
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1";
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", [...make.split(" "), ...subject, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  const request = sqs("SendMessage", {
    QueueUrl: "http://localhost/123456789012/queue",
    MessageBody: messageBody,
  });
  const work: Work = { kind: "fixed", request, messagesEach: 1 };
  const children: { kill(signal: "SIGTERM"): boolean }[] = [];
  const targets: Target[] = [];
  for (const scheme of ["http", "https"]) {
    const { child, first } = await startScript<{ port: number }>("floor.ts", [scheme, key, cert]);
    children.push(child);
    targets.push({
      name: `bare node:${scheme}`,
      pid: child.pid ?? 0,
      port: first.port,
      ca: scheme === "https" ? readFileSync(cert, "utf8") : undefined,
      accessKeyId: "AKIAFLOOR",
      secretAccessKey: "floor",
      work,
    });
  }
  return {
    targets,
    stop() {
      for (const child of children) child.kill("SIGTERM");
    },
  };
}
