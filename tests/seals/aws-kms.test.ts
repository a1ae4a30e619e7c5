import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "../../src/cli/settings.ts";
import { startServer } from "../../src/main.ts";
import { startTestServer } from "../harness/server.ts";
import { fill, folderFor, opensAll, sealVerb, serve } from "./scene.ts";

// Goal: another KMS on the AWS wire seals the root key. Method: a second server of ours is that
// KMS; start, restart, rotate; disable its key (sealed start); ask its audit who opened what.

test("the seal aws-kms", async (t) => {
  const outer = await startTestServer();
  t.after(() => outer.stop());
  const { KeyMetadata } = await outer.rootClients.kms.createKey({});
  const key = KeyMetadata?.KeyId ?? "";
  const folder = folderFor(t);
  const flags = {
    seal: "aws-kms",
    sealKmsKey: key,
    sealKmsEndpoint: outer.httpsUrl,
    sealKmsCa: join(outer.dataFolder, "ca.pem"),
  };
  const secrets = {
    SEALPOST_SEAL_AWS_ACCESS_KEY_ID: outer.root.accessKeyId,
    SEALPOST_SEAL_AWS_SECRET_ACCESS_KEY: outer.root.secretAccessKey,
  };
  const first = await serve(folder, flags, secrets);
  const scene = await fill(first);
  await first.stop();
  const words = [
    ...["--seal-kms-key", key, "--seal-kms-endpoint", outer.httpsUrl],
    ...["--seal-kms-ca", flags.sealKmsCa],
  ];
  const rotated = await sealVerb(["rotate", ...words], folder, secrets);
  equal(rotated.code, 0, rotated.text);
  const second = await serve(folder, flags, secrets);
  await opensAll(second, scene);
  await second.stop();

  await outer.rootClients.kms.disableKey({ KeyId: key });
  const settings = readSettings({
    flags: { data: folder, port: 0, clock: "virtual", logLevel: "error", ...flags },
    environment: secrets,
    workingDirectory: folder,
  });
  const sealed = await startServer(settings);
  const health = await fetch(`${sealed.httpUrl}/_sealpost/health`);
  equal(health.status, 503);
  await sealed.stop();
  await outer.rootClients.kms.enableKey({ KeyId: key });

  const { Events = [] } = await outer.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "Decrypt" }],
  });
  match(Events[0]?.CloudTrailEvent ?? "", /sealpost:installation/);
});
