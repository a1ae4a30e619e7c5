import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { RootCredentials } from "../config.ts";
import type { ServerFile } from "../gateway/server-file.ts";
import type { Json } from "../kernel/json.ts";
import { gunzip, isSealed, openObject, readHead, type SealedHead } from "../trails/form.ts";
import { signRequest } from "../trails/sign.ts";
import { askServer, exchange } from "./admin-client.ts";
import { CliError, type CliIo } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";
import type { VerbProgram } from "./verify-trail.ts";

/**
 * `sealpost trail cat FILE…`: prints what is in log files and digests. A file under a KMS key is
 * opened by kms:Decrypt with the credentials at hand, which the audit tells of.
 */
export function addTrailVerbs(program: Command, context: VerbProgram): void {
  const trail = program.command("trail").description("read the files of trails");
  const cat = trail
    .command("cat")
    .description("print the records in files of a trail, sealed or plain")
    .argument("<files...>", "log files and digests")
    .addOption(context.dataOption());
  cat.action(async (files: readonly string[]) => {
    const { io, finish } = context;
    for (const file of files) io.out(`${await contentOf(file, context.folderOf(cat), io)}\n`);
    finish(0);
  });
}

async function contentOf(file: string, folder: string, io: CliIo): Promise<string> {
  const bytes = readOrExplain(file);
  const zipped = isSealed(bytes) ? await opened(file, bytes, folder, io) : bytes;
  const content = gunzip(zipped);
  if (content === undefined) throw new CliError(`${file} is no file of a trail, or damaged`);
  return content.text.toString("utf8");
}

function readOrExplain(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function opened(file: string, bytes: Buffer, folder: string, io: CliIo): Promise<Buffer> {
  const head = readHead(bytes);
  if (head === undefined) throw new CliError(`${file} is damaged`);
  const server = findServer(folder, io);
  const credentials = findCredentials(folder, io);
  const dataKey =
    head.mode === "owned"
      ? await ownedDataKey(head, server, credentials, io)
      : await decryptDataKey(head, server, credentials, io);
  try {
    const plain = openObject(bytes, head, dataKey);
    if (plain === undefined) throw new CliError(`${file} was changed`);
    return plain;
  } finally {
    dataKey.fill(0);
  }
}

async function ownedDataKey(
  head: SealedHead,
  server: ServerFile,
  credentials: RootCredentials,
  io: CliIo,
): Promise<Buffer> {
  const body = { head: { ...head } };
  const request = { method: "POST", path: "/_sealpost/trails/data-key", body } as const;
  const answer = await askServer(server, credentials, request, io.now());
  return Buffer.from(String(Reflect.get(Object(answer), "dataKey")), "base64");
}

/** AWS: a reader of log files asks the KMS, with the trail as encryption context. */
async function decryptDataKey(
  { keyArn, trailArn, dataKey }: SealedHead,
  server: ServerFile,
  credentials: RootCredentials,
  io: CliIo,
): Promise<Buffer> {
  const url = new URL(server.httpsUrl);
  const body = JSON.stringify({
    CiphertextBlob: dataKey,
    KeyId: keyArn,
    EncryptionContext: { "aws:cloudtrail:arn": trailArn },
  });
  const headers = signRequest(
    {
      method: "POST",
      url,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "TrentService.Decrypt",
      },
      body: Buffer.from(body),
      service: "kms",
      region: keyArn.split(":")[3] ?? server.region,
    },
    credentials,
    io.now(),
  );
  const { status, text } = await exchange(url, "POST", headers, body, server.caFile);
  const answer = JSON.parse(text) as { readonly [name: string]: Json };
  if (status === 200) return Buffer.from(String(answer.Plaintext), "base64");
  const reason = answer.message ?? answer.Message ?? answer.__type ?? status;
  throw new CliError(`the key of the file does not open it: ${reason}`);
}
