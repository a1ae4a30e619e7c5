import { createClients } from "./demo/clients.ts";
import {
  proveAudit,
  proveDelivery,
  proveDeliveryDenied,
  proveDisabledKey,
  provePublisherDenied,
} from "./demo/proofs.ts";
import { setUpClinic } from "./demo/scenario.ts";
import { createStory } from "./demo/story.ts";
import { startTemporaryServer } from "./demo/temporary-server.ts";
import { CliError, type CliIo } from "./io.ts";

/**
 * The clinic scenario with real AWS clients against a temporary server; exit code 0 if everything
 * it says was seen. Needs the AWS SDK, which a clone has (`npm ci`).
 */
export async function runDemo(io: CliIo): Promise<number> {
  await requireSdk();
  const colour = io.terminal === true && !io.environment.NO_COLOR;
  const story = createStory(io.out, colour, io.terminal ? io.columns : undefined);
  story.say(
    "Sealpost demo: patient records from a clinic to three systems, encrypted all the way.",
  );
  story.say("A temporary server starts; AWS SDK clients talk to it over HTTPS.");
  const server = await startTemporaryServer(process.argv[1] ?? "", io);
  try {
    const root = await createClients(server.target, server.root);
    const clinic = await setUpClinic(story, server.target, root);
    await proveDelivery(story, clinic, server);
    await proveAudit(story, clinic, root);
    await proveDisabledKey(story, clinic, server);
    await provePublisherDenied(story, clinic, server);
    await proveDeliveryDenied(story, clinic, server);
    io.out("\nEverything above was seen happening. The temporary server and its data are gone.\n");
    return 0;
  } finally {
    await server.stop();
  }
}

const sdkClients = ["sns", "sqs", "kms", "iam", "cloudtrail"].map(
  (name) => `@aws-sdk/client-${name}`,
);

async function requireSdk(): Promise<void> {
  try {
    await Promise.all(sdkClients.map((client) => import(client)));
  } catch (error) {
    throw new CliError(
      "the demo uses the AWS SDK. Install it beside sealpost: " +
        `\`npm install ${sdkClients.join(" ")}\`, or run \`npm ci && npm run demo\` in a clone`,
      { cause: error },
    );
  }
}
