import { choose } from "./cases.ts";
import { curveNames } from "./growth-sizes.ts";
import type { LoadTarget } from "./measure.ts";
import type { Options } from "./options.ts";
import { allCases, type Hosts, topicsOf } from "./plan.ts";
import type { Resources, TopicName } from "./setup.ts";
import { peerWorkloads } from "./workloads.ts";

/** The plan of a run whose servers were not started: names and facts of its rows are the same. */
export function planWithoutServers(short: boolean): Hosts {
  const topics = topicsOf(short);
  const peer = { pid: 0, port: 1, ca: undefined, accessKeyId: "", secretAccessKey: "" };
  const floor = (name: string, ca: string | undefined): LoadTarget => ({
    ...peer,
    name,
    ca,
    work: { kind: "turns", requests: [] },
  });
  const server = {
    ...peer,
    ca: "",
    httpsUrl: "https://localhost:1",
    httpUrl: "http://localhost:1",
  };
  return {
    floors: {
      targets: [floor("bare node:http", undefined), floor("bare node:https", "a certificate")],
      hashing: floor("hash, write, fsync, https", "a certificate"),
      stop: () => undefined,
    },
    server,
    large: server,
    resources: {
      "SSE-KMS": resourcesWith(topics["SSE-KMS"]),
      "SSE-SQS": resourcesWith(topics["SSE-SQS"]),
      "no SSE": resourcesWith(topics["no SSE"]),
    },
    largeResources: resourcesWith(topics.large),
    kmsKeys: { symmetric: "", ciphertext: "", rsa: "", curve: "" },
    peers: peerWorkloads(peer, "fauxqs", resourcesWith(topics.peers)),
    folder: "",
  };
}

function resourcesWith(topics: readonly TopicName[]): Resources {
  const made = topics.map((name) => [name, { arn: name, queueUrls: [name] }]);
  return { queueUrl: "send", drainUrl: "drain", topicArn: "", topics: Object.fromEntries(made) };
}

export function allNames(options: Options): string[] {
  const cases = choose(allCases(planWithoutServers(options.short)), options);
  const curves = options.growthMax > 0 ? curveNames(options.only) : [];
  return [...cases.map(({ target }) => target.name), ...curves];
}
