import { AuthFailure } from "../../auth/sigv4.ts";
import type { Authenticator } from "../../gateway/authenticate.ts";

const knownKeys =
  "This server runs with --preset localstack: use the access key `test` with the secret `test`, or " +
  "the twelve digits of an account with the secret `test`; further keys come from iam " +
  "create-access-key";

/** Says what to do where a project signs with credentials that LocalStack does not look at. */
export function withAdvice(authenticator: Authenticator): Authenticator {
  return {
    async claim(exchange, service) {
      try {
        return await authenticator.claim(exchange, service);
      } catch (error) {
        throw advised(error, "unknown-key", knownKeys);
      }
    },
    prove(exchange, body, claimed) {
      try {
        return authenticator.prove(exchange, body, claimed);
      } catch (error) {
        const { accessKeyId } = claimed.claim.scope;
        if (!/^(test|\d{12})$/.test(accessKeyId)) throw error;
        const text = `The secret of the access key \`${accessKeyId}\` is \`test\``;
        throw advised(error, "bad-signature", `${text}; this server does verify signatures`);
      }
    },
  };
}

function advised(error: unknown, kind: AuthFailure["kind"], advice: string): unknown {
  if (!(error instanceof AuthFailure) || error.kind !== kind) return error;
  return new AuthFailure(kind, `${error.message} ${advice}.`);
}
