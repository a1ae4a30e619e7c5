import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import type { Random } from "../kernel/random.ts";
import type { Carriers } from "../services/sns/ports.ts";
import { carryHttp } from "./http.ts";
import { carryLambda, type LambdaOptions } from "./lambda.ts";
import { carryMail } from "./smtp.ts";
import { createTargets, type TargetRules } from "./targets.ts";

export interface CarrierOptions {
  readonly random: Random;
  readonly rules: Pick<TargetRules, "allow" | "allowPrivate">;
  /** Port that the server itself listens on; 0 while it does not. */
  readonly ownPort: () => number;
  readonly lambda: LambdaOptions;
  /** Address of the mail server, password and all. A secret: never log it. */
  readonly smtp: string | undefined;
}

/** Everything that leaves the server goes through one check of its target. */
export function createCarriers(options: CarrierOptions): Carriers {
  const targets = createTargets({
    ...options.rules,
    own: () => ({ addresses: ownAddresses(), port: options.ownPort() }),
    lookup: (host) => lookup(host, { all: true }),
  });
  return {
    http: (request) => carryHttp(targets, options.random, request),
    lambda: (invocation) => carryLambda(targets, options.lambda, invocation),
    mail: (mail) => carryMail(targets, options.smtp, mail),
  };
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).map(({ address }) => address),
  );
}
