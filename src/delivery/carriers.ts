import type { Random } from "../kernel/random.ts";
import type { Carriers } from "../services/sns/ports.ts";
import { carryHttp } from "./http.ts";
import { carryLambda, type LambdaOptions } from "./lambda.ts";
import { carryMail } from "./smtp.ts";
import type { Targets } from "./targets.ts";

export interface CarrierOptions {
  readonly random: Random;
  readonly targets: Targets;
  readonly lambda: LambdaOptions;
  /** Address of the mail server, password and all. A secret: never log it. */
  readonly smtp: string | undefined;
}

export function createCarriers({ targets, random, lambda, smtp }: CarrierOptions): Carriers {
  return {
    http: (request) => carryHttp(targets, random, request),
    lambda: (invocation) => carryLambda(targets, lambda, invocation),
    mail: (mail) => carryMail(targets, smtp, mail),
  };
}
