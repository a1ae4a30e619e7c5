import { existsSync } from "node:fs";

/**
 * True inside Docker, Podman or Kubernetes, or where the image says `container=…`. There the owner
 * of the container decides who reaches its ports.
 */
export function runsInContainer(
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (environment.container || environment.KUBERNETES_SERVICE_HOST) return true;
  return ["/.dockerenv", "/run/.containerenv"].some((path) => existsSync(path));
}
