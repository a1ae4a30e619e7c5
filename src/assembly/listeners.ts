import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { checkPolicy, PolicyError, resolvePrincipalIds } from "../auth/policy/index.ts";
import type { Settings } from "../config.ts";
import { type EndpointSetting, parseEndpoint } from "../config-endpoints.ts";
import { addressSet } from "../gateway/addresses.ts";
import type { Handler } from "../gateway/exchange.ts";
import { defaultLimits, limitsOfOne } from "../gateway/limits.ts";
import { type Gateway, startGateway, type TlsMaterial } from "../gateway/server.ts";
import type { PrivateEndpoint } from "../kernel/call.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { NamedPolicy } from "../kernel/policy.ts";
import type { RecordView } from "../kernel/records.ts";
import { principals } from "../services/iam/ports.ts";
import { StartError } from "./start-error.ts";

export interface ListenersOptions {
  readonly settings: Settings;
  readonly tls: TlsMaterial;
  readonly handler: Handler;
  readonly view: () => RecordView;
  readonly systemClock: Pick<Clock, "now">;
  readonly log: Log;
  /** Runs before the listeners stop. */
  readonly stopping: () => void;
  /** Ports that the first thread listens on, in the order of the places; absent: this is it. */
  readonly ports?: readonly number[] | undefined;
}

/** Where the server listens. */
export interface Listeners {
  /** `host:port` for everyone; of the first private endpoint with --no-public. */
  readonly address: string;
  /** Of all places, in their order. */
  readonly ports: readonly number[];
  readonly endpoints: readonly OpenEndpoint[];
  setTls(material: TlsMaterial): void;
}

export interface OpenEndpoint {
  readonly endpointId: string;
  readonly httpsUrl: string;
}

/** Opens the public port and one port for each private endpoint. */
export async function openListeners(
  options: ListenersOptions,
  scope: AsyncDisposableStack,
): Promise<Listeners> {
  const { settings, log, tls, handler } = options;
  const common = {
    tls,
    handler,
    tlsOnly: settings.tlsOnly,
    trustedProxies: addressSet(settings.trustProxy),
    limits: limitsOfOne(defaultLimits, settings.threads),
    systemClock: options.systemClock,
    log,
  };
  const wanted = settings.vpcEndpoint.map(parseEndpoint);
  const places = [
    ...(settings.noPublic ? [] : [{ host: settings.host, port: settings.port }]),
    ...(await Promise.all(
      wanted.map(async (one) => ({ ...one, endpoint: await privateEndpoint(options.view, one) })),
    )),
  ];
  const opened: { place: (typeof places)[number]; gateway: Gateway; address: string }[] = [];
  const { ports } = options;
  const sharing = ports ? "further" : settings.threads > 1 ? "first" : undefined;
  for (const [index, place] of places.entries()) {
    const port = ports?.[index] ?? place.port;
    const gateway = await startGateway({ ...common, ...place, port, sharing });
    scope.defer(() => {
      options.stopping();
      return gateway.stop();
    });
    opened.push({ place, gateway, address: `${urlHost(place.host)}:${gateway.port}` });
  }
  const [first] = opened;
  if (!first) throw new StartError("--no-public needs a --vpc-endpoint to listen on");
  return {
    address: first.address,
    ports: opened.map(({ gateway }) => gateway.port),
    endpoints: opened.flatMap(({ place, address }) =>
      "endpointId" in place
        ? [{ endpointId: place.endpointId, httpsUrl: `https://${address}` }]
        : [],
    ),
    setTls(material) {
      for (const { gateway } of opened) gateway.setTls(material);
    },
  };
}

async function privateEndpoint(
  view: () => RecordView,
  setting: EndpointSetting,
): Promise<PrivateEndpoint> {
  const { endpointId, vpcId, policyFile } = setting;
  const policy =
    policyFile === undefined ? undefined : await endpointPolicy(view, endpointId, policyFile);
  return { endpointId, vpcId, policy };
}

/** The policy of an endpoint, bound to whom its principals are now. Throws StartError. */
async function endpointPolicy(
  view: () => RecordView,
  name: string,
  file: string,
): Promise<NamedPolicy> {
  try {
    const text = readFileSync(resolve(file), "utf8");
    checkPolicy(text, "endpoint");
    const resolved = await resolvePrincipalIds(text, principals, view());
    if (resolved.ok) return { name, policy: resolved.policy };
    throw new StartError(`policy of ${name}: there is no ${resolved.unknown.join(", ")}`);
  } catch (error) {
    if (error instanceof PolicyError) {
      throw new StartError(`policy of ${name} in ${file}: ${error.message}`);
    }
    if (error instanceof Error && "code" in error) {
      throw new StartError(`policy of ${name} cannot be read: ${error.message}`);
    }
    throw error;
  }
}

/** The host in addresses that are shown: one that reaches the server, and is in its certificate. */
export function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
