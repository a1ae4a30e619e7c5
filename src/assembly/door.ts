import type { Settings } from "../config.ts";
import { systemRandom } from "../crypto/random.ts";
import type { DenialLog } from "../doctor/denial-log.ts";
import { isLoopbackHost } from "../gateway/addresses.ts";
import { type AdminRoute, adminHandler, withAdmin } from "../gateway/admin.ts";
import { adminCall } from "../gateway/admin-audit.ts";
import { createAdminGuard } from "../gateway/admin-guard.ts";
import { type CertificateSource, openPrivateCertificates } from "../gateway/certificates.ts";
import { clockRoutes } from "../gateway/clock-routes.ts";
import type { Installation } from "../gateway/data-folder.ts";
import type { Handler } from "../gateway/exchange.ts";
import { type Health, healthRoute } from "../gateway/health.ts";
import { metricsRoute } from "../gateway/metrics.ts";
import { openOwnCertificate } from "../gateway/own-certificate.ts";
import type { Auditor } from "../gateway/walk.ts";
import type { Log } from "../kernel/log.ts";
import { identityPolicies } from "../services/iam/ports.ts";
import type { ShipTrails } from "../workers/ship-trails.ts";
import { accountRoutes } from "./account-routes.ts";
import { beginBackup } from "./backup/begin.ts";
import { backupRoute } from "./backup/route.ts";
import type { Clocks } from "./clocks.ts";
import { compactRoute } from "./compact-store.ts";
import { costRoute } from "./cost-route.ts";
import { openInquiry } from "./doctor.ts";
import { doctorRoutes } from "./doctor-routes.ts";
import type { Front } from "./front.ts";
import { type OpenEndpoint, openListeners } from "./listeners.ts";
import { metricsText } from "./queue-metrics.ts";
import { serviceCredentialRoutes } from "./service-credential-routes.ts";
import type { Services } from "./services.ts";
import { StartError } from "./start-error.ts";
import type { OpenState } from "./state.ts";
import type { ThreadTeam } from "./thread-team.ts";
import { trailRoutes } from "./trail-routes.ts";
import type { Trails } from "./trails.ts";
import { deliveryRoutes } from "./undelivered-route.ts";
import type { Usage } from "./usage.ts";

export interface DoorOptions {
  readonly settings: Settings;
  readonly folderPath: string;
  readonly accountId: string;
  readonly region: string;
  readonly installation: Installation;
  readonly hostName: string;
  readonly state: OpenState;
  readonly clocks: Clocks;
  readonly services: Services;
  readonly front: Front;
  readonly auditor: Pick<Auditor, "record">;
  readonly usage: Usage;
  readonly denials: DenialLog;
  readonly trails: Trails;
  readonly aloneWithTrails: ShipTrails["alone"];
  readonly version: string;
  /** Serves what receivers of notifications fetch: the signing certificate. */
  readonly certificateRoute: (front: Handler) => Handler;
  /** Further threads that serve the same port. */
  readonly threads: Pick<ThreadTeam, "catchUp" | "counts" | "certificateChanged">;
  readonly log: Log;
}

/** The open port. */
export interface Door {
  readonly httpsUrl: string;
  readonly httpUrl: string | undefined;
  readonly caFile: string | null;
  readonly endpoints: readonly OpenEndpoint[];
  /** Ports that it listens on, for further threads that share them. */
  readonly ports: readonly number[];
  /** Answers everything, the server's own addresses too. */
  readonly handler: Handler;
  /** From now on health says `ok`. */
  ready(): void;
}

/** Puts authentication, the AWS front and the server's own routes behind the one port. */
export async function openDoor(options: DoorOptions, scope: AsyncDisposableStack): Promise<Door> {
  const { settings, state, clocks, services, usage, log, accountId, threads } = options;
  const { authenticator, handler: front } = options.front;
  const { requireDecryptToSend } = services;
  const view = () => state.records.view();
  const administration = {
    ...state,
    random: systemRandom,
    clock: clocks.service,
    systemClock: clocks.system,
    operatorAccountId: accountId,
    dataFolder: options.folderPath,
  };
  let status: Health["status"] = "starting";
  const health = () => ({ status, clock: settings.clock, version: options.version });
  const inquiry = () => openInquiry({ view, identityPolicies, clock: clocks.service });
  const routes: AdminRoute[] = [
    healthRoute(health),
    metricsRoute(
      async () => metricsText(usage.metrics, services.sqs, await threads.counts()),
      settings.openMetrics || isLoopbackHost(settings.host),
    ),
    ...clockRoutes(clocks.service, clocks.virtual),
    ...deliveryRoutes({ ...state, services, clock: clocks.service, accountId, inquiry }),
    ...trailRoutes({ trails: options.trails, alone: options.aloneWithTrails }),
    ...serviceCredentialRoutes(administration),
    backupRoute({
      log,
      write: (recipients) =>
        beginBackup(
          {
            ...state,
            folder: { path: options.folderPath, installation: options.installation },
            clockOffsetMs: () => clocks.virtual?.offsetMs() ?? 0,
            version: options.version,
          },
          recipients,
        ),
    }),
    ...accountRoutes(administration),
    compactRoute((commands) => state.records.commit(undefined, commands), settings),
    ...doctorRoutes({
      inquiry,
      denials: options.denials,
      requireDecryptToSend,
      ask: state.store.query.bind(state.store),
      held: (nowMs) => services.sealer.held(nowMs),
      region: options.region,
    }),
    costRoute({ inquiry, store: state.store, accountId, requireDecryptToSend }),
  ];
  const guard = createAdminGuard({
    authenticator,
    identityPolicies,
    view,
    clock: clocks.service,
    operatorAccountId: accountId,
    async record(act) {
      const finished = adminCall(administration, view(), act);
      const event = await options.auditor.record(finished);
      if (event) await state.records.commit(undefined, [event]);
    },
  });
  const { allowInsecureSecrets } = settings;
  const admin = heardFirst(
    adminHandler({ routes, guard, allowInsecureSecrets, log }),
    threads.catchUp,
  );
  const handler = options.certificateRoute(withAdmin(admin, front));
  const certificates = openCertificates(options);
  scope.defer(() => certificates.close());
  const listeners = await openListeners(
    {
      settings,
      tls: certificates.material(),
      handler,
      view,
      systemClock: clocks.system,
      log,
      stopping: () => {
        status = "stopping";
      },
    },
    scope,
  );
  certificates.onChange((material) => {
    listeners.setTls(material);
    threads.certificateChanged();
  });
  const { address } = listeners;
  return {
    httpsUrl: `https://${address}`,
    httpUrl: settings.tlsOnly ? undefined : `http://${address}`,
    caFile: certificates.caFile,
    endpoints: listeners.endpoints,
    ports: listeners.ports,
    handler,
    ready() {
      status = "ok";
    },
  };
}

/** What other threads have told before a request belongs to what it asks about. */
function heardFirst<A>(handler: Handler<A>, catchUp: () => void): Handler<A> {
  return {
    ...handler,
    handle(exchange, body, context) {
      catchUp();
      return handler.handle(exchange, body, context);
    },
  };
}

function openCertificates({
  settings,
  folderPath,
  hostName,
  state,
  clocks,
  log,
}: DoorOptions): CertificateSource {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert && tlsKey) {
    return openOwnCertificate({ certFile: tlsCert, keyFile: tlsKey, checkMs: 5_000, log });
  }
  if (tlsCert || tlsKey) throw new StartError("--tls-cert and --tls-key belong together");
  return openPrivateCertificates({
    folder: folderPath,
    secrets: state.secrets,
    clock: clocks.system,
    random: systemRandom,
    hostName,
    tlsNames: settings.tlsName,
    log,
  });
}
