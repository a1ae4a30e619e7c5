import type { SignRequest } from "@aws-sdk/client-kms";
import type { Call } from "../../kernel/call.ts";
import type { Json } from "../../kernel/json.ts";
import { hashBytesOf, hashOf, keyForm } from "../../kernel/key-specs.ts";
import type { SignatureQuestion } from "../../kernel/keyvault.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { keyUse } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import type { FoundKey } from "./found.ts";
import { requireGrantTokens } from "./grant-tokens.ts";
import { requireAlgorithm, requireUsage } from "./key-specs.ts";
import { locateKey, requireKey } from "./locate.ts";
import { stopAtDryRun, validation } from "./refusals.ts";
import { requireState } from "./states.ts";
import type { KeyRecord } from "./store.ts";

type Input = Wire<SignRequest>;

/** AWS: ML-DSA, FIPS 204 §6.2: the message representative. */
const externalMuBytes = 64;

export async function signingResources(
  dependencies: KmsDependencies,
  input: Input,
  call: Call,
): Promise<readonly ResourceUse[]> {
  requireGrantTokens(dependencies, input.GrantTokens);
  const conditions = {
    "kms:signingalgorithm": input.SigningAlgorithm,
    "kms:messagetype": input.MessageType ?? "RAW",
  };
  return [keyUse(await locateKey(dependencies, call, input.KeyId), conditions)];
}

/** The key and question of a Sign or Verify that may go on. */
export async function signingQuestion(
  dependencies: KmsDependencies,
  input: Input,
  call: Call,
): Promise<FoundKey & { readonly question: SignatureQuestion }> {
  const found = await requireKey(dependencies, call, input.KeyId);
  const { key } = found;
  const { SigningAlgorithm: algorithm, Message: message, MessageType: messageType = "RAW" } = input;
  requireUsage(key, "SIGN_VERIFY", call.operation);
  requireAlgorithm(key, algorithm);
  const question = { algorithm, messageType, message };
  requireMessage(key, question);
  requireState(key, "use");
  stopAtDryRun(input.DryRun);
  return { ...found, question };
}

/** Throws ValidationException for a kind or length of message that the algorithm does not take. */
function requireMessage(key: Readonly<KeyRecord>, question: SignatureQuestion): void {
  const { algorithm, messageType, message } = question;
  const { family } = keyForm(key.keySpec);
  const possible =
    family === "ml-dsa"
      ? ["RAW", "EXTERNAL_MU"]
      : family !== "ed25519"
        ? ["RAW", "DIGEST"]
        : [algorithm === "ED25519_SHA_512" ? "RAW" : "DIGEST"];
  if (!possible.includes(messageType)) {
    // AWS?: no recorded text.
    throw validation(`MessageType ${messageType} is not valid for algorithm ${algorithm}.`);
  }
  if (messageType === "RAW") return;
  const bytes = family === "ml-dsa" ? externalMuBytes : hashBytesOf(hashOf(algorithm));
  if (message.length !== bytes) {
    throw validation(`Digest is invalid length for algorithm ${algorithm}.`);
  }
}

export function auditedSigning(input: Input): Json {
  return {
    keyId: input.KeyId,
    messageType: input.MessageType ?? "RAW",
    signingAlgorithm: input.SigningAlgorithm,
  };
}
