import { nameOf, type RememberedSigner } from "../../signing/remembered.ts";
import { type Signer, signatureChars } from "../../signing/signer.ts";
import type { Line } from "../../threads/line.ts";

interface SignatureQuestion {
  readonly name: string;
  readonly text?: string;
}

type Waiting = readonly (readonly [name: string, text: string])[];

/** There is one memory of signatures: who receives is rarely served by the thread that published. */
export function serveSignatures(line: Line, signer: RememberedSigner): void {
  line.on<Waiting>("signature.ahead", (waiting) => {
    for (const [name, text] of waiting) signer.ahead(name, text);
  });
  line.on<SignatureQuestion>("signature", async ({ name, text }) => {
    let unknown = false;
    const signature = signer.signed(name, () => {
      unknown = text === undefined;
      return text ?? "";
    });
    return signature.catch((error: unknown) => {
      if (unknown) return undefined;
      throw error;
    });
  });
}

/** `signer` knows the certificate; it signs nothing itself. */
export function signaturesElsewhere(
  line: Line,
  signer: Pick<Signer, "certificateUrl" | "prepare">,
): RememberedSigner {
  let waiting: (readonly [string, string])[] = [];
  const flush = (): void => {
    line.tell("signature.ahead", waiting satisfies Waiting);
    waiting = [];
  };
  const ask = (question: SignatureQuestion) => line.ask<string | undefined>("signature", question);
  const signed = async (name: string, text: () => string): Promise<string> =>
    // Mostly it was made ahead, and its text need not go over.
    (await ask({ name })) ?? (await ask({ name, text: text() })) ?? "";
  return {
    signatureChars,
    nameOf,
    signed,
    sign: async (version, text) => signed(nameOf(version, text), () => text),
    ahead(name, text) {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push([name, text]);
    },
    certificateUrl: () => signer.certificateUrl(),
    prepare: () => signer.prepare(),
  };
}
