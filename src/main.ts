import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { keepAccessKeyUses } from "./assembly/access-key-uses.ts";
import { ensureOperatorAccount } from "./assembly/bootstrap.ts";
import { certificateRoute } from "./assembly/certificate-route.ts";
import { openClocks, type SystemClockOf, sharedClocks } from "./assembly/clocks.ts";
import { openDoor } from "./assembly/door.ts";
import { lateDueWork } from "./assembly/due-work.ts";
import { startElectedJobs } from "./assembly/elected-jobs.ts";
import { type Jobs, type JobsOptions, startJobs } from "./assembly/jobs.ts";
import { type InitProgress, routesFor } from "./assembly/localstack/routes.ts";
import { SealedError, startSealed } from "./assembly/sealed.ts";
import { assembleServing, openDoorkeeping } from "./assembly/serving.ts";
import { sharingOf } from "./assembly/sharing.ts";
import { openState, stateOptions } from "./assembly/state.ts";
import { teamOf } from "./assembly/thread-team.ts";
import { assembleTrails } from "./assembly/trails.ts";
import { createUsage, latestOf } from "./assembly/usage.ts";
import { packageVersion } from "./cli/io.ts";
import type { Settings } from "./config.ts";
import { systemRandom } from "./crypto/random.ts";
import { createCarriers } from "./delivery/carriers.ts";
import { portOf } from "./delivery/open-targets.ts";
import { openStatusFiles } from "./delivery/status-files.ts";
import { createDenialLog } from "./doctor/denial-log.ts";
import { openDataFolder } from "./gateway/data-folder.ts";
import { createLogger } from "./gateway/logger.ts";
import { removeServerFile, writeServerFile } from "./gateway/server-file.ts";
import type { Log } from "./kernel/log.ts";
import type { PreparedKeyProcesses } from "./keys/prepared.ts";
import { lookupRate } from "./services/cloudtrail/rate.ts";
import { createRequestQuotas, quotaRates } from "./services/kms/quotas.ts";
import { createTopicTurns } from "./services/sns/fifo-publishing.ts";
import { rememberSignatures } from "./signing/remembered.ts";
import { createSigner } from "./signing/signer.ts";
import type { TrackedView } from "./state/tracked-view.ts";
import { serviceNames } from "./wire/service.ts";

/** Stand-ins for Lambda on one machine take any key; those that check one are told theirs. */
const localLambdaCredentials = { accessKeyId: "sealpost", secretAccessKey: "sealpost" };

export interface RunningServer {
  readonly httpsUrl: string;
  /** undefined with --tls-only. */
  readonly httpUrl: string | undefined;
  readonly endpoints: readonly { readonly endpointId: string; readonly httpsUrl: string }[];
  /** True: it was started sealed, and opens by itself once its seal is there. */
  readonly sealed?: boolean;
  /** Settles if the server can go on no longer (its store failed); the process should stop. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Absent: the machine's clock. Signatures, sessions and certificates are judged by it. */
  readonly systemClockOf?: SystemClockOf;
  /** How far the scripts of the start are, for whoever asks. Absent: there are none. */
  readonly init?: Readonly<InitProgress>;
  /** Key processes of another user. Absent: the server starts its own. */
  readonly prepared?: PreparedKeyProcesses | undefined;
}

/**
 * Starts a server as its settings say. What was opened is closed in reverse order, at a stop and
 * when a later step fails. Throws StartError, DataFolderError, PortInUse, or a Fault of the store
 * or the key process, each with a text for the person who starts it.
 */
export async function startServer(
  settings: Settings,
  options: StartOptions = {},
): Promise<RunningServer> {
  const log = createLogger({
    level: settings.logLevel,
    format: settings.logFormat,
    write: (line) => process.stderr.write(line),
  });
  try {
    return await startUnsealed(settings, log, options);
  } catch (error) {
    // Each attempt would use up one of those that were prepared: whoever starts tries again.
    if (!(error instanceof SealedError) || options.prepared) throw error;
    const sealed = await startSealed({
      settings,
      reason: error.message,
      log,
      probe: () => probeSeal(settings, log),
      start: (unsealed) => startUnsealed(unsealed, log, options),
    });
    return { ...sealed, endpoints: [], sealed: true };
  }
}

/** Opens store and key process, and closes them again. Throws SealedError. */
async function probeSeal(settings: Settings, log: Log): Promise<void> {
  await using scope = new AsyncDisposableStack();
  await openState(stateOptions(settings, log), scope);
}

async function startUnsealed(
  settings: Settings,
  log: Log,
  { systemClockOf, prepared, init = { completed: true, scripts: [] } }: StartOptions,
): Promise<RunningServer> {
  await using scope = new AsyncDisposableStack();
  const folderPath = resolve(settings.data);
  const folder = openDataFolder({
    path: folderPath,
    clock: settings.clock,
    accountId: settings.account,
    region: settings.region,
    preset: settings.preset,
    now: performance.timeOrigin + performance.now(),
  });
  scope.defer(() => folder.close());
  const { accountId, region } = folder.installation;
  const team = await teamOf(settings);
  scope.defer(() => team.close());
  const ownClocks = openClocks(folder, settings, log, scope, systemClockOf, team.shared?.moved);
  const state = await openState(
    { ...stateOptions(settings, log, prepared), threads: team.shared?.onStore },
    scope,
  );
  const clocks = sharedClocks(ownClocks, state.store.peers, log);
  const doorkeeping = openDoorkeeping(state, clocks, settings);
  const operator = {
    ...state,
    ...doorkeeping,
    random: systemRandom,
    nowMs: clocks.service.now(),
    dataFolder: folderPath,
    accountId,
    given: settings.rootCredentials,
    log,
  };
  await state.alone(() => ensureOperatorAccount(operator));
  const version = packageVersion();
  const lastUseElsewhere = team.shared && team.lastUse;
  const usage = createUsage({ clock: clocks.service, version, lastUseElsewhere });
  scope.defer(
    keepAccessKeyUses({
      records: state.records,
      clock: clocks.service,
      log,
      taken: () => team.takeAccessKeyUses(usage.takeAccessKeyUses()),
    }),
  );
  const due: { jobs?: Jobs } = {};
  const addresses = { public: settings.publicUrl ?? "" };
  const publicUrl = () => addresses.public;
  const signer = createSigner<TrackedView>({
    ...state,
    random: systemRandom,
    clock: clocks.system,
    publicUrl,
    certificateHost: settings.snsCertHost,
  });
  const listening = { ports: [] as readonly number[] };
  const statusLog = openStatusFiles(join(folderPath, "delivery-status"), log);
  scope.defer(() => statusLog.close());
  const denials = createDenialLog();
  const kmsRates = quotaRates(settings.kmsQuotas);
  const once = {
    signer: rememberSignatures({ signer, log }),
    denials,
    statusLog,
    due: lateDueWork(() => due.jobs),
    fifoTurns: createTopicTurns(),
    kmsQuotas: kmsRates && createRequestQuotas(kmsRates),
    lookupRate: lookupRate(settings.lookupQuota),
    ...(team.shared?.sharing ?? sharingOf(state.store.peers)),
  };
  const serving = await assembleServing(
    {
      settings,
      folderPath,
      accountId,
      state,
      clocks,
      doorkeeping,
      usage,
      once,
      publicUrl,
      ownPorts: () => listening.ports,
      log,
    },
    scope,
  );
  const { services, auditor, targets, storage, front } = serving;
  scope.defer(() => team.ended());
  const { pipeline } = services;
  const { plainTrails } = settings;
  const clock = clocks.service;
  const trails = await assembleTrails({ state, storage, pipeline, clock, plainTrails, log });
  const carriers = createCarriers({
    random: systemRandom,
    targets,
    lambda: {
      endpoints: settings.lambdaEndpoint,
      ...(settings.lambdaCredentials ?? localLambdaCredentials),
      now: () => clocks.system.now(),
    },
    smtp: settings.smtp,
  });
  const door = await openDoor(
    {
      settings,
      folderPath,
      accountId,
      region,
      installation: folder.installation,
      hostName: hostname(),
      state,
      clocks,
      services,
      front,
      auditor,
      usage,
      denials,
      trails,
      aloneWithTrails: (act) => (due.jobs ? due.jobs.aloneWithTrails(act) : act()),
      version,
      certificateRoute(inner) {
        const routes = { services: serviceNames, version, init };
        return routesFor(settings.preset, routes, certificateRoute(signer, inner));
      },
      threads: team,
      log,
    },
    scope,
  );
  addresses.public ||= door.httpsUrl;
  listening.ports = [door, ...door.endpoints].map(({ httpsUrl: url }) => portOf(new URL(url)));
  await team.start(
    {
      state,
      sealer: services.sealer,
      signer: once.signer,
      notes: once,
      fifoTurns: once.fifoTurns,
      virtual: clocks.virtual,
      handler: door.handler,
      jobs: () => due.jobs,
      lastUse: async (id) => latestOf(usage.lastUse(id), await team.lastUse(id)),
    },
    { settings, folderPath, accountId, version, ports: door.ports, publicUrl: publicUrl() },
  );
  scope.defer(() => team.beginStop());
  // Only now: what is delivered at start names this server's address, and must not lead back to it.
  const jobsOptions: JobsOptions = {
    state,
    services,
    carriers,
    clock,
    log,
    auditor,
    trails,
    audit: {
      systemClock: clocks.system,
      anchor: settings.auditAnchor,
      retentionDays: settings.auditRetentionDays,
      eventsMax: settings.auditEventsMax,
    },
  };
  const jobs = await startElectedJobs({
    peers: state.store.peers,
    start: () => startJobs(jobsOptions),
    elapsedMs: () => performance.now(),
    log,
  });
  due.jobs = jobs;
  scope.defer(() => jobs.stop());
  const { httpsUrl, httpUrl, caFile, endpoints } = door;
  writeServerFile(folderPath, {
    pid: process.pid,
    httpsUrl,
    httpUrl: httpUrl ?? null,
    caFile,
    region,
    accountId,
    ...(endpoints.length > 0 && { endpoints }),
  });
  scope.defer(() => removeServerFile(folderPath));
  door.ready();
  const running = scope.move();
  return {
    httpsUrl,
    httpUrl,
    endpoints,
    failed: Promise.race([state.store.failed, state.keys.failed, team.failed]),
    stop: () => running.disposeAsync(),
  };
}
