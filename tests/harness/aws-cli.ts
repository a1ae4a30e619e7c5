import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestCredentials, TestServer } from "./server.ts";

const installed = spawnSync("aws", ["--version"]).status === 0;

/** For the options of a test: false, or why it is skipped. */
export const skipWithoutAws = installed ? false : "the AWS command line is not installed";

const run = promisify(execFile);

/** The real `aws` as somebody. Throws with what it printed if it fails. */
export async function aws(
  server: TestServer,
  who: TestCredentials,
  ...args: readonly string[]
): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: server.dataFolder,
    AWS_ACCESS_KEY_ID: who.accessKeyId,
    AWS_SECRET_ACCESS_KEY: who.secretAccessKey,
    ...(who.sessionToken && { AWS_SESSION_TOKEN: who.sessionToken }),
    AWS_CA_BUNDLE: join(server.dataFolder, "ca.pem"),
    AWS_DEFAULT_REGION: server.region,
    AWS_PAGER: "",
    AWS_MAX_ATTEMPTS: "1",
  };
  // Version 1 of the tool reads the queue's address from the queue URL unless it is told here.
  const whole = [...args, "--endpoint-url", server.httpsUrl, "--output", "json"];
  const { stdout } = await run("aws", whole, { env, timeout: 120_000 });
  return stdout;
}

/** What `aws` printed when it was refused; "" if it was not. */
export async function awsRefusal(done: Promise<string>): Promise<string> {
  try {
    await done;
    return "";
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error);
  }
}
