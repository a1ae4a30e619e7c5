import type { Random } from "../kernel/random.ts";
import type { CarrierAnswer, HttpDelivery } from "../services/sns/ports.ts";
import { answerChallenge } from "./challenge.ts";
import { exchange } from "./http-exchange.ts";
import { judgeError, judgeStatus } from "./outcome.ts";
import type { Targets } from "./targets.ts";

/**
 * Carries a delivery to an http(s) endpoint. AWS: a password in the address is used once the
 * endpoint asks for it (Basic or Digest), never before. Answers, never throws.
 */
export async function carryHttp(
  targets: Targets,
  random: Random,
  { url: text, headers, body }: HttpDelivery,
  timeoutMs?: number,
): Promise<CarrierAnswer> {
  try {
    const url = new URL(text);
    const first = await exchange(targets, { url, headers, body }, timeoutMs);
    const authorization =
      first.statusCode === 401
        ? answerChallenge(url, first.headers["www-authenticate"], random)
        : undefined;
    if (authorization === undefined) return judgeStatus(first.statusCode, first.text);
    const second = { url, headers: { ...headers, Authorization: authorization }, body };
    const answer = await exchange(targets, second, timeoutMs);
    return judgeStatus(answer.statusCode, answer.text);
  } catch (error) {
    return judgeError(error);
  }
}
