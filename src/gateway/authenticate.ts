import {
  AuthFailure,
  checkClaimService,
  checkClaimTime,
  readClaim,
  type SignedClaim,
  SigningKeyCache,
  verifySignature,
} from "../auth/sigv4.ts";
import type { Caller } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Credential, Credentials } from "../kernel/policy.ts";
import type { RecordView } from "../kernel/records.ts";
import { type Soon, soon } from "../kernel/soon.ts";
import type { HttpExchange } from "./exchange.ts";

/** A signature's claim with the access key it names. Proven only by `prove`. */
export interface Claimed {
  readonly claim: SignedClaim;
  readonly credential: Credential;
}

export interface Authenticator {
  /**
   * Before the body: who the request says it is, from a live access key and inside the time
   * window. undefined: it is unsigned. Throws AuthFailure.
   */
  claim(exchange: HttpExchange, service?: string): Soon<Claimed | undefined>;
  /** With the body: the signature holds for these very bytes. Throws AuthFailure. */
  prove(exchange: HttpExchange, body: Buffer, claimed: Claimed): Caller;
}

export interface AuthenticatorDependencies {
  readonly credentials: Credentials;
  readonly view: () => RecordView;
  /** Signatures are judged by the system clock, also when the service clock is virtual. */
  readonly systemClock: Clock;
}

export function createAuthenticator(deps: AuthenticatorDependencies): Authenticator {
  const signingKeys = new SigningKeyCache();
  return {
    claim(exchange, service) {
      const claim = readClaim(exchange);
      if (!claim) return undefined;
      if (service !== undefined) checkClaimService(claim, service);
      checkClaimTime(claim, deps.systemClock.now());
      const { scope, sessionToken } = claim;
      const found = deps.credentials.find(deps.view(), scope.accessKeyId, sessionToken);
      return soon(found, (credential) => {
        // AWS: an expired session is told before the signature is looked at. Only who holds the
        // token, which is sealed, can learn it.
        if (credential === "expired") throw new AuthFailure("expired-token");
        if (!credential) throw new AuthFailure("unknown-key");
        return { claim, credential };
      });
    },
    prove(exchange, body, { claim, credential }) {
      const { secretAccessKey, caller } = credential;
      if (verifySignature(claim, exchange, body, secretAccessKey, signingKeys)) return caller;
      throw new AuthFailure("bad-signature");
    },
  };
}
