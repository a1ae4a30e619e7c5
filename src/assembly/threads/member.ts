/**
 * A further gateway thread: the second composition of the parts that serve. It has caches, front
 * and listeners of its own; what there is once in the process it reaches through the first thread.
 */
import { hostname } from "node:os";
import { type MessagePort, workerData } from "node:worker_threads";
import { systemClock } from "../../clock/system.ts";
import type { Settings } from "../../config.ts";
import type { RingKey } from "../../crypto/keyring.ts";
import { systemRandom } from "../../crypto/random.ts";
import { readPrivateCertificate } from "../../gateway/certificates.ts";
import { createLogger } from "../../gateway/logger.ts";
import { readPair } from "../../gateway/own-certificate.ts";
import type { TlsMaterial } from "../../gateway/server.ts";
import type { Log } from "../../kernel/log.ts";
import { versionReader } from "../../kernel/version-log.ts";
import { createSigner } from "../../signing/signer.ts";
import type { TrackedView } from "../../state/tracked-view.ts";
import { sqliteStoreOn } from "../../stores/sqlite/open.ts";
import { type Line, openLine } from "../../threads/line.ts";
import { threadPeers } from "../../threads/peers.ts";
import { arrivalsBetween } from "../arrivals.ts";
import type { Clocks } from "../clocks.ts";
import { tellDueWork } from "../due-work.ts";
import { openListeners } from "../listeners.ts";
import { assembleServing, openDoorkeeping } from "../serving.ts";
import { authenticatedBy, type ServingState } from "../state.ts";
import type { SharedMemory, TeamStart } from "../thread-team.ts";
import { createUsage } from "../usage.ts";
import { virtualClockElsewhere } from "./clock.ts";
import { borrowDataKeys, forgetThroughFirst } from "./data-keys.ts";
import { keysElsewhere } from "./keys.ts";
import { notesElsewhere } from "./notes.ts";
import { routesElsewhere } from "./routes.ts";
import { signaturesElsewhere } from "./signatures.ts";
import { topicTurnsBy, turnsElsewhere } from "./turns.ts";
import { lastUseOfAll, leaveUsage, serveUsage } from "./usage.ts";

export interface MemberData extends TeamStart {
  /** Among the askers of the store; the first thread has 0. */
  readonly number: number;
  readonly memory: SharedMemory;
  /** To the first thread. */
  readonly port: MessagePort;
  readonly storePort: MessagePort;
  /** Wiped by who reads them. */
  readonly ringKeys: readonly (Omit<RingKey, "key"> & { readonly key: SharedArrayBuffer })[];
}

await serve(workerData as MemberData);

async function serve(data: MemberData): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const { settings, memory, number } = data;
  const { logLevel: level, logFormat: format } = settings;
  const log = createLogger({ level, format, write: (line) => process.stderr.write(line) });
  const line = openLine(data.port);
  const changes = versionReader(memory.versions, number);
  const peers = threadPeers({ lines: [line], changes });
  const clocks = openClocks(line, memory, settings, log);
  const store = sqliteStoreOn(data.storePort, log);
  scope.defer(() => store.close());
  void store.failed.then((fault) => line.tell("failed", fault.message));
  const takeTurn = turnsElsewhere(line, "turn");
  const ring = data.ringKeys.map((each) => ({ ...each, key: taken(each.key) }));
  const state: ServingState = {
    store,
    keys: keysElsewhere(line),
    ...authenticatedBy(ring, store, { peers, takeTurn: () => takeTurn("") }),
  };
  const doorkeeping = openDoorkeeping(state, clocks, settings);
  const { version, publicUrl } = data;
  const usage = createUsage({
    clock: clocks.service,
    version,
    lastUseElsewhere: lastUseOfAll(line),
  });
  const signer = createSigner<TrackedView>({
    ...state,
    random: systemRandom,
    clock: clocks.system,
    publicUrl: () => publicUrl,
    certificateHost: settings.snsCertHost,
  });
  const serving = await assembleServing(
    {
      ...data,
      state,
      clocks,
      doorkeeping,
      usage,
      publicUrl: () => publicUrl,
      ownPorts: () => data.ports,
      once: {
        ...notesElsewhere(line, {
          kmsQuotas: settings.kmsQuotas !== "off",
          lookupRate: settings.lookupQuota !== "off",
        }),
        signer: signaturesElsewhere(line, signer),
        due: tellDueWork(peers),
        fifoTurns: topicTurnsBy(turnsElsewhere(line, "fifo-turn")),
        peers,
        arrivals: arrivalsBetween(peers, memory.waiting),
        borrow: borrowDataKeys(line),
        shareForgetting: (own) => forgetThroughFirst(own, line),
      },
      log,
    },
    scope,
  );
  serveUsage(line, usage, serving.services.sqs);
  const certificate = () => readCertificate(data, state, clocks, log);
  const listeners = await openListeners(
    {
      settings,
      tls: certificate(),
      handler: routesElsewhere(line, serving.front.handler),
      view: () => state.records.view(),
      systemClock: clocks.system,
      log,
      stopping() {},
      ports: data.ports,
    },
    scope,
  );
  line.on("certificate", () => listeners.setTls(certificate()));
  const running = scope.move();
  line.on("stop", async () => {
    await running.disposeAsync();
    leaveUsage(line, usage);
    // After the answer.
    setImmediate(() => line.close());
  });
  line.on("ready", () => true);
}

function openClocks(line: Line, memory: SharedMemory, settings: Settings, log: Log): Clocks {
  const onError = (error: unknown) => log.error("something that was due failed", { error });
  const system = systemClock(onError);
  if (settings.clock === "system") return { service: system, system, virtual: undefined };
  const service = virtualClockElsewhere(line, memory.clock, () => system.now(), onError);
  return { service, system, virtual: undefined };
}

function taken(memory: SharedArrayBuffer): Buffer {
  const shared = new Uint8Array(memory);
  const key = Buffer.allocUnsafeSlow(shared.length);
  key.set(shared);
  shared.fill(0);
  return key;
}

/** The first thread keeps the certificate; what it wrote is read here. */
function readCertificate(
  { settings, folderPath }: MemberData,
  { secrets }: ServingState,
  clocks: Clocks,
  log: Log,
): TlsMaterial {
  const { tlsCert, tlsKey, tlsName } = settings;
  if (tlsCert && tlsKey) return readPair(tlsCert, tlsKey);
  return readPrivateCertificate({
    folder: folderPath,
    secrets,
    clock: clocks.system,
    random: systemRandom,
    hostName: hostname(),
    tlsNames: tlsName,
    log,
  });
}
