import type { Settings } from "../config.ts";
import { systemRandom } from "../crypto/random.ts";
import { type Authenticator, createAuthenticator } from "../gateway/authenticate.ts";
import type { Handler } from "../gateway/exchange.ts";
import { createFront } from "../gateway/front.ts";
import type { Log } from "../kernel/log.ts";
import type { Credentials } from "../kernel/policy.ts";
import type { AuthorizationMessages } from "../services/sts/messages.ts";
import { loadWireServices } from "../wire/service.ts";
import type { Clocks } from "./clocks.ts";
import { withAdvice } from "./localstack/advice.ts";
import type { Services } from "./services.ts";
import type { ServingState } from "./state.ts";
import type { Usage } from "./usage.ts";

export interface FrontOptions {
  readonly settings: Settings;
  readonly accountId: string;
  readonly state: ServingState;
  readonly clocks: Clocks;
  readonly services: Pick<Services, "pipeline">;
  readonly credentials: Credentials;
  readonly messages: AuthorizationMessages;
  readonly usage: Usage;
  readonly log: Log;
}

/** The AWS front with who is let in: authentication before the services. */
export interface Front {
  readonly authenticator: Authenticator;
  readonly handler: Handler;
}

export function openFront(options: FrontOptions): Front {
  const { settings, state, clocks } = options;
  const strict = createAuthenticator({
    credentials: options.credentials,
    view: () => state.records.view(),
    systemClock: clocks.system,
  });
  const authenticator = settings.preset === "localstack" ? withAdvice(strict) : strict;
  const front = createFront({
    wire: loadWireServices(),
    authenticator,
    pipeline: options.services.pipeline,
    random: systemRandom,
    log: options.log,
    observer: options.usage,
    elapsedMs: () => performance.now(),
    operatorAccountId: options.accountId,
    defaultRegion: settings.region,
    allowInsecureSecrets: settings.allowInsecureSecrets,
    authorizationMessage: (account, message) => options.messages.encode(account, message),
  });
  // What a handler's admit returns comes back to that handler only.
  return { authenticator, handler: front as Handler };
}
