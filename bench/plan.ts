import type { Case, LoadCase } from "./cases.ts";
import { type Floors, floorProbes, floorServers, otherConnections, otherSizes } from "./floors.ts";
import { type KmsKeys, kmsWorkloads } from "./kms-workloads.ts";
import type { Generator } from "./measure.ts";
import type { ServerAddress } from "./server.ts";
import type { Encryption, Resources, TopicName } from "./setup.ts";
import { variants, workloadsOf } from "./workloads.ts";

/** Everything that runs while cases are measured. */
export interface Hosts {
  readonly floors: Floors;
  readonly server: ServerAddress;
  readonly resources: Readonly<Record<Encryption, Resources>>;
  readonly kmsKeys: KmsKeys;
  /** Another server for large bodies, so that they don't count in the memory of the first. */
  readonly large: ServerAddress;
  readonly largeResources: Resources;
  readonly peers: readonly LoadCase[];
  /** Where probes write. */
  readonly folder: string;
}

/** Topics that a form of the benchmark needs, by what the queues behind them wear. */
export function topicsOf(
  short: boolean,
): Readonly<Record<Encryption | "peers" | "large", TopicName[]>> {
  const raw: TopicName[] = short ? ["one", "three"] : ["one", "three", "hundred", "filtered"];
  const signed: TopicName[] = short
    ? ["signedOne", "signedThree"]
    : ["signedOne", "signedThree", "signedDrain"];
  return {
    "SSE-KMS": [...raw, ...signed],
    "SSE-SQS": ["three"],
    "no SSE": ["three"],
    peers: raw,
    large: short ? [] : ["three", "signedThree", "hundred"],
  };
}

/** Every row of the table. */
export function allCases(hosts: Hosts): Case[] {
  const { server, resources, large } = hosts;
  const largeSizes = otherSizes.filter((size) => size > 1024);
  const small = otherSizes.filter((size) => size <= 1024);
  const sealed = resources["SSE-KMS"];
  return [
    ...floorProbes(hosts.folder),
    ...floorServers(hosts.floors),
    ...workloadsOf(server, "https", "SSE-KMS", sealed),
    ...workloadsOf(server, "https", "SSE-SQS", resources["SSE-SQS"]),
    ...workloadsOf(server, "https", "no SSE", resources["no SSE"]),
    ...kmsWorkloads(server, hosts.kmsKeys),
    ...workloadsOf(server, "http", "SSE-KMS", sealed).filter((it) => !enveloped(it)),
    ...hosts.peers,
    ...variants(server, "https", sealed, { connections: otherConnections, sizes: small }),
    ...variants(server, "http", sealed, { connections: otherConnections, sizes: small }),
    ...variants(large, "https", hosts.largeResources, { connections: [], sizes: largeSizes }),
    ...variants(large, "http", hosts.largeResources, { connections: [], sizes: largeSizes }),
  ];
}

function enveloped({ operation }: Case): boolean {
  return operation.endsWith("enveloped");
}

const compared = ["bare node:https", "SendMessage, https, SSE-KMS"];

/** The same rows under the other generator, so that a reader sees what a generator changes. */
export function underOtherGenerator(cases: readonly Case[], other: Generator): Case[] {
  const suffix = ` (${other})`;
  return cases.flatMap((it) => {
    const { target } = it;
    if ("probe" in target || !compared.includes(target.name)) return [];
    return [
      {
        ...it,
        target: { ...target, name: target.name + suffix, generator: other },
        floor: it.floor && it.floor + suffix,
      },
    ];
  });
}
