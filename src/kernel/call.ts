import type { Caller, ServicePrincipal } from "./caller.ts";
import type { EpochMs } from "./clock.ts";
import type { Command, ResultsOf } from "./command.ts";
import type { Keeper } from "./kept.ts";
import type { NamedPolicy } from "./policy.ts";
import type { RecordView } from "./records.ts";
import type { Soon } from "./soon.ts";

/** One request on its way: who, where, when, how it came, and what it may do to the state. */
export interface Call extends Keeper {
  readonly requestId: string;
  /** `sqs`, and the operation's name. */
  readonly service: string;
  readonly operation: string;
  readonly caller: Caller;
  readonly region: string;
  /** The account that unqualified names belong to: the caller's; for a service its source's. */
  readonly accountId: string;
  /** Service time of arrival. */
  readonly now: EpochMs;
  /** System time of arrival: long-poll waits count from here, also when decided again. */
  readonly arrivedSystemMs: EpochMs;
  readonly transport: Transport;
  /** Set when a service uses the caller's identity: `sqs.amazonaws.com` calling KMS. */
  readonly via: ServicePrincipal | undefined;
  /** Aborts when the client has gone or the server stops; long polls listen to it. */
  readonly signal: AbortSignal;
  readonly records: RecordView;
  /**
   * Waits, in order, until the server has memory for work of so many bytes. It is given back when
   * this attempt at the request is over.
   *
   * INVARIANT: who waits holds nothing that others wait for, and who holds some never waits for
   * more: so nobody waits for ever.
   */
  reserve(bytes: number): Soon<void>;
  /**
   * Commits now, for operations that need results to go on (receive). Others return commands and
   * leave it to the pipeline. Throws StaleDecision when the configuration moved on, unless
   * `unconditional` (an undo must happen whatever changed).
   */
  commit<const T extends readonly Command[]>(
    commands: T,
    options?: { readonly unconditional?: boolean },
  ): Promise<ResultsOf<T>>;
}

/** How a request came in. For calls between services it is that of the outer request. */
export interface Transport {
  /** HTTPS, also when a trusted proxy says so. */
  readonly secure: boolean;
  readonly signed: boolean;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** `https://host:port` by which the caller reached the server; queue URLs are built on it. */
  readonly baseUrl: string;
  readonly tls: { readonly version: string; readonly cipherSuite: string } | undefined;
  /** The private endpoint that it came through. */
  readonly endpoint?: PrivateEndpoint | undefined;
}

/** A listener of its own: what came through it is known by the socket, not by what was said. */
export interface PrivateEndpoint {
  /** `vpce-…` */
  readonly endpointId: string;
  readonly vpcId: string | undefined;
  /** What may pass; undefined: everything. */
  readonly policy: NamedPolicy | undefined;
}
