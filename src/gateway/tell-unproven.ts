import { AuthFailure } from "../auth/sigv4.ts";
import type { Log } from "../kernel/log.ts";
import type { Authenticator } from "./authenticate.ts";
import type { HttpExchange } from "./exchange.ts";

/** Lines at once, and then in a second: who guesses keys must not fill a disk. */
const linesMax = 20;
const linesPerSecond = 1;

/**
 * An authenticator that tells the log who could not be proven, from where and why. AWS: such
 * requests are in nobody's audit, since no account is known to be concerned.
 */
export function tellUnproven({
  authenticator,
  log,
  elapsedMs,
}: {
  readonly authenticator: Authenticator;
  readonly log: Log;
  readonly elapsedMs: () => number;
}): Authenticator {
  let lines = linesMax;
  let asOfMs = elapsedMs();
  let untold = 0;
  const tell = (exchange: HttpExchange, error: unknown): never => {
    if (!(error instanceof AuthFailure)) throw error;
    const nowMs = elapsedMs();
    lines = Math.min(linesMax, lines + ((nowMs - asOfMs) / 1000) * linesPerSecond);
    asOfMs = nowMs;
    if (lines < 1) {
      untold += 1;
      throw error;
    }
    lines -= 1;
    log.warn("a request is not proven to be its sender's", {
      reason: error.kind,
      accessKeyId: accessKeyIdIn(exchange),
      address: exchange.transportFacts.sourceIp,
      userAgent: exchange.transportFacts.userAgent,
      ...(untold > 0 && { untoldBefore: untold }),
    });
    untold = 0;
    throw error;
  };
  return {
    claim(exchange, service) {
      try {
        const claimed = authenticator.claim(exchange, service);
        if (!(claimed instanceof Promise)) return claimed;
        return claimed.catch((error: unknown) => tell(exchange, error));
      } catch (error) {
        return tell(exchange, error);
      }
    },
    prove(exchange, body, claimed) {
      try {
        return authenticator.prove(exchange, body, claimed);
      } catch (error) {
        return tell(exchange, error);
      }
    },
  };
}

/** As the request says; it may be anything. */
function accessKeyIdIn({ headers, query }: HttpExchange): string {
  const text = headers.get("authorization") ?? query;
  return /Credential=([\w-]{1,128})(?:\/|%2F)/i.exec(text)?.[1] ?? "";
}
