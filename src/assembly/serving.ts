import { type Auditor, createAuditor } from "../audit/auditor.ts";
import { parseDurationSeconds } from "../cli/duration.ts";
import type { Settings } from "../config.ts";
import { systemRandom } from "../crypto/random.ts";
import { openTargets, reachThrough } from "../delivery/open-targets.ts";
import type { Targets } from "../delivery/targets.ts";
import type { DenialLog } from "../doctor/denial-log.ts";
import type { Log } from "../kernel/log.ts";
import type { Credentials } from "../kernel/policy.ts";
import { trailChoice } from "../services/cloudtrail/choice.ts";
import type { Rate } from "../services/cloudtrail/rate.ts";
import { createCredentials } from "../services/iam/ports.ts";
import type { RequestQuotas } from "../services/kms/quotas.ts";
import type { NotificationSigner, StatusLog, TopicTurns } from "../services/sns/ports.ts";
import {
  type AuthorizationMessages,
  createAuthorizationMessages,
} from "../services/sts/messages.ts";
import { createSessionTokens } from "../services/sts/tokens.ts";
import { filePeriodMs } from "../trails/step.ts";
import { loadModel, serviceNames } from "../wire/service.ts";
import type { Clocks } from "./clocks.ts";
import type { DueWork } from "./due-work.ts";
import { type Front, openFront } from "./front.ts";
import { credentialsFor } from "./localstack/account-keys.ts";
import { assembleServices, type Services } from "./services.ts";
import type { Sharing } from "./sharing.ts";
import type { ServingState } from "./state.ts";
import { openTrailStorage, type TrailStorage } from "./trails.ts";
import type { Usage } from "./usage.ts";

/** Who may come in, by what lies in the state. */
export interface Doorkeeping {
  readonly sessions: ReturnType<typeof createSessionTokens>;
  readonly messages: AuthorizationMessages;
  readonly credentials: Credentials;
}

export function openDoorkeeping(
  state: ServingState,
  clocks: Clocks,
  settings: Pick<Settings, "preset">,
): Doorkeeping {
  const { secrets } = state;
  const sessions = createSessionTokens(secrets, systemRandom);
  const credentials = credentialsFor(settings.preset, {
    ...state,
    credentials: createCredentials({ secrets, sessions, systemClock: clocks.system }),
    random: systemRandom,
    clock: clocks.service,
  });
  return { sessions, messages: createAuthorizationMessages(secrets), credentials };
}

/** What there is once in a process, however many threads serve: for each, the way to it. */
export interface OnceInProcess extends Sharing {
  readonly signer: NotificationSigner;
  readonly denials: Pick<DenialLog, "note">;
  readonly statusLog: StatusLog;
  readonly due: DueWork;
  readonly fifoTurns: TopicTurns;
  /** undefined: requests are not counted. */
  readonly kmsQuotas: RequestQuotas | undefined;
  readonly lookupRate: Rate | undefined;
}

export interface ServingOptions {
  readonly settings: Settings;
  readonly folderPath: string;
  readonly accountId: string;
  readonly state: ServingState;
  readonly clocks: Clocks;
  readonly doorkeeping: Doorkeeping;
  readonly usage: Usage;
  readonly once: OnceInProcess;
  readonly publicUrl: () => string;
  /** Ports that the server listens on. */
  readonly ownPorts: () => readonly number[];
  readonly log: Log;
}

/** What a thread needs to serve the AWS wire. */
export interface Serving {
  readonly services: Services;
  readonly front: Front;
  readonly auditor: Auditor;
  readonly targets: Targets;
  readonly storage: TrailStorage;
}

/** Puts the parts of one serving thread together; each thread of a process does the same. */
export async function assembleServing(
  options: ServingOptions,
  scope: AsyncDisposableStack,
): Promise<Serving> {
  const { settings, state, clocks, usage, once, log, doorkeeping } = options;
  const { due } = once;
  const auditor = createAuditor({
    random: systemRandom,
    clock: clocks.service,
    models: new Map(serviceNames.map((name) => [name, loadModel(name)])),
    trails: trailChoice,
    waiting: (sinceMs) => due.trailDue(sinceMs + filePeriodMs),
  });
  const targets = openTargets(
    { allow: settings.deliveryAllow, allowPrivate: settings.allowPrivateEndpoints },
    options.ownPorts,
  );
  const reach = reachThrough(targets);
  const storage = openTrailStorage({
    dataFolder: options.folderPath,
    trailEndpoint: settings.trailEndpoint,
    trailCredentials: settings.trailCredentials,
    reach,
    now: () => clocks.system.now(),
  });
  const services = await assembleServices({
    ...once,
    ...doorkeeping,
    state,
    clocks,
    auditor: usage.watch(auditor),
    reach,
    usage,
    publicUrl: options.publicUrl,
    allowInsecureSse: settings.allowInsecureSse,
    requireDecryptToSend: settings.sendNeedsDecrypt,
    dataKeyAuthorization: settings.dataKeyAuthorization,
    log,
    undeliveredRetentionMs: parseDurationSeconds(settings.undeliveredRetention) * 1000,
    cloudtrail: {
      buckets: storage.buckets,
      trailWork: () => due.trailDue(clocks.service.now()),
      lookupRate: once.lookupRate,
    },
  });
  scope.defer(() => services.sealer.close());
  const front = openFront({ ...options, ...doorkeeping, services });
  return { services, front, auditor, targets, storage };
}
