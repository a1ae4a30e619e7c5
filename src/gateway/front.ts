import { AuthFailure, authFailureRefusal, refuseSignatureV2 } from "../auth/sigv4.ts";
import { type Caller, callerAccountId } from "../kernel/caller.ts";
import { Fault, Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import type { Log } from "../kernel/log.ts";
import { giveBack } from "../kernel/memory.ts";
import type { Random } from "../kernel/random.ts";
import { inStep, type Soon, soon } from "../kernel/soon.ts";
import type { Protocol, WireReply, WireRequest, WireService } from "../wire/service.ts";
import { serviceOfUnsigned } from "../wire/service.ts";
import { isLoopbackAddress } from "./addresses.ts";
import type { Authenticator, Claimed } from "./authenticate.ts";
import { denialMessage } from "./denial-message.ts";
import type { Admission, GatewayRefusal, Handler, HttpExchange, HttpReply } from "./exchange.ts";
import { refusalStatus } from "./exchange.ts";
import type { Pipeline } from "./pipeline.ts";
import { tellUnproven } from "./tell-unproven.ts";

export interface FrontDependencies {
  readonly wire: ReadonlyMap<string, WireService>;
  readonly authenticator: Authenticator;
  readonly pipeline: Pipeline;
  readonly random: Random;
  readonly log: Log;
  readonly observer: RequestObserver;
  /** Monotonic milliseconds, for durations. */
  readonly elapsedMs: () => number;
  /** Where unsigned requests belong to: they carry no credential scope. */
  readonly operatorAccountId: string;
  readonly defaultRegion: string;
  readonly allowInsecureSecrets: boolean;
  /** Seals why something was denied, for those whom their account lets read it. */
  readonly authorizationMessage?: (accountId: string, message: Json) => string;
}

export interface RequestObserver {
  started(): void;
  finished(request: FinishedRequest): void;
}

export interface FinishedRequest {
  readonly service: string;
  readonly operation: string;
  /** `ok`, or the error code. */
  readonly code: string;
  readonly seconds: number;
  readonly region: string;
  /** As proven by the signature. */
  readonly caller: Caller;
}

/** What `admit` found out, for `handle`: a claim, or that the request is unsigned. */
export interface Admitted {
  readonly claimed: Claimed | undefined;
}

const bodyBytesMax = { message: 8 * 1024 * 1024, other: 1024 * 1024, unsigned: 2 * 1024 * 1024 };

/** Services whose answers or requests carry secrets: TLS only, from other machines. */
const secretServices = new Set(["kms", "iam", "sts"]);

/** The AWS front door: from HTTP to the pipeline and back, with every error in its right form. */
export function createFront(given: FrontDependencies): Handler<Admitted> {
  const deps = { ...given, authenticator: tellUnproven(given) };
  return {
    admit: (exchange) => admit(deps, exchange),
    handle: (exchange, body, admitted) => handle(deps, exchange, body, admitted),
    refuse: (exchange, refusal) => refuse(deps, exchange, refusal),
  };
}

function admit(deps: FrontDependencies, exchange: HttpExchange): Soon<Admission<Admitted>> {
  const refused = (error: unknown): Admission<Admitted> => {
    const form = formOf(deps, wireRequest(exchange, noBody));
    return { refuse: answerError(deps, form, error, deps.random.uuid()).reply };
  };
  try {
    const admission = soon(deps.authenticator.claim(exchange), (claimed) =>
      admissionOf(deps, exchange, claimed),
    );
    return admission instanceof Promise ? admission.catch(refused) : admission;
  } catch (error) {
    return refused(error);
  }
}

const noBody = Buffer.alloc(0);

function admissionOf(
  deps: FrontDependencies,
  exchange: HttpExchange,
  claimed: Claimed | undefined,
): Admission<Admitted> {
  // An unsigned form names its service in the body: it is looked at when that is there.
  if (!claimed) return { bodyBytesMax: bodyBytesMax.unsigned, context: { claimed } };
  const service = signedService(deps, claimed);
  requirePrivateTransport(deps, service.name, exchange);
  return { bodyBytesMax: longestBody(service.name), context: { claimed } };
}

function longestBody(service: string): number {
  return service === "sqs" || service === "sns" ? bodyBytesMax.message : bodyBytesMax.other;
}

/** The credential scope names the service. */
function signedService(deps: FrontDependencies, { claim }: Claimed): WireService {
  const service = deps.wire.get(claim.scope.service);
  if (service) return service;
  const text = `Sealpost does not offer the service ${claim.scope.service}`;
  throw new Refusal("NotImplemented", text, { status: 501 });
}

/**
 * Unsigned requests name their service by target, action and version, or a queue path. Only topics
 * and queues have policies that can admit everyone. Throws AuthFailure.
 */
function unsignedService(deps: FrontDependencies, request: WireRequest): WireService {
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    refuseSignatureV2(new URLSearchParams(request.body.toString("latin1")));
  }
  const service = deps.wire.get(serviceOfUnsigned(request) ?? "");
  if (service?.name === "sqs" || service?.name === "sns") return service;
  // AWS: the token in the request stands for a signature.
  if (service?.name === "sts" && service.identify(request).operation === webIdentityOperation) {
    return service;
  }
  throw new AuthFailure("missing-token");
}

const webIdentityOperation = "AssumeRoleWithWebIdentity";

function requirePrivateTransport(
  deps: FrontDependencies,
  service: string,
  { transportFacts }: HttpExchange,
): void {
  if (!secretServices.has(service) || deps.allowInsecureSecrets) return;
  if (transportFacts.secure || isLoopbackAddress(transportFacts.sourceIp)) return;
  throw new Refusal(
    "InvalidSecurity",
    `Requests to ${service} from another machine must use HTTPS.`,
    { status: 403 },
  );
}

async function handle(
  deps: FrontDependencies,
  exchange: HttpExchange,
  body: Buffer,
  { claimed }: Admitted,
): Promise<HttpReply> {
  const startMs = deps.elapsedMs();
  deps.observer.started();
  const requestId = deps.random.uuid();
  const request = wireRequest(exchange, body);
  const region = claimed?.claim.scope.region ?? deps.defaultRegion;
  let form: ErrorForm | undefined;
  let operation = "unknown";
  let caller: Caller = { kind: "anonymous" };
  const finished = (code: string) => {
    const seconds = (deps.elapsedMs() - startMs) / 1000;
    const service = form?.service.name ?? "unknown";
    deps.observer.finished({ service, operation, code, seconds, region, caller });
  };
  try {
    const service = claimed ? signedService(deps, claimed) : unsignedService(deps, request);
    form = { service, protocol: service.protocolOf(request) };
    if (!claimed) requirePrivateTransport(deps, service.name, exchange);
    if (claimed) caller = proveCaller(deps, exchange, body, claimed);
    await inStep();
    const { operation: name, protocol } = service.identify(request);
    operation = name;
    const input = service.decode(operation, protocol, request);
    giveBack(body);
    await inStep();
    const output = await deps.pipeline.perform({
      service: service.name,
      operation,
      requestId,
      caller,
      region,
      accountId: accountOf(caller) ?? deps.operatorAccountId,
      transport: { ...exchange.transportFacts, signed: claimed !== undefined },
      client: exchange,
      input,
    });
    const reply = service.encode(operation, protocol, output, requestId);
    finished("ok");
    return reply;
  } catch (error) {
    const { reply, code } = answerError(deps, form ?? formOf(deps, request), error, requestId);
    finished(code);
    return { ...reply, headers: { ...reply.headers, ...explanation(deps, caller, error) } };
  }
}

/** Where unqualified names belong to. */
function accountOf(caller: Caller): string | undefined {
  return caller.kind === "service" ? caller.sourceAccountId : callerAccountId(caller);
}

const explanationCharactersMax = 8 * 1024;

/** DIFFERS: each denial carries its encoded authorization message, in a header of its own. */
function explanation(
  { authorizationMessage }: FrontDependencies,
  caller: Caller,
  error: unknown,
): Readonly<Record<string, string>> {
  const accountId = callerAccountId(caller);
  if (!(error instanceof Refusal) || !error.denial || !authorizationMessage) return {};
  if (accountId === undefined) return {};
  const text = authorizationMessage(accountId, denialMessage(caller, error.denial));
  return text.length > explanationCharactersMax ? {} : { "x-sealpost-authorization-message": text };
}

function proveCaller(
  deps: FrontDependencies,
  exchange: HttpExchange,
  body: Buffer,
  claimed: Claimed,
): Caller {
  const caller = deps.authenticator.prove(exchange, body, claimed);
  exchange.bodyAuthenticated();
  return caller;
}

function wireRequest(exchange: HttpExchange, body: Buffer): WireRequest {
  const { method, path, query, headers } = exchange;
  return { method, path, query, headers, body };
}

interface ErrorForm {
  readonly service: WireService;
  readonly protocol: Protocol;
}

/** The form of an error before the request is understood: by what its head says. */
function formOf(deps: FrontDependencies, request: WireRequest): ErrorForm {
  const authorization = request.headers.get("authorization") ?? "";
  const scope = /Credential=[^/]*\/[^/]*\/[^/]*\/([a-z0-9-]{1,32})\//.exec(authorization);
  const name = scope?.[1] ?? serviceOfUnsigned(request);
  const type = request.headers.get("content-type") ?? "";
  const json = type.startsWith("application/x-amz-json");
  const service = deps.wire.get(name ?? "") ?? deps.wire.get(json ? "kms" : "sns");
  if (!service) throw new Error("no wire service to form an error with");
  return { service, protocol: service.protocolOf(request) };
}

/** The only place where a failure becomes an answer. */
function answerError(
  deps: FrontDependencies,
  { service, protocol }: ErrorForm,
  error: unknown,
  requestId: string,
): { reply: WireReply; code: string } {
  const refusal = refusalOf(deps, service, protocol, error, requestId);
  return { reply: service.encodeError(protocol, refusal, requestId), code: refusal.code };
}

function refusalOf(
  deps: FrontDependencies,
  service: WireService,
  protocol: Protocol,
  error: unknown,
  requestId: string,
): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof AuthFailure) return authFailureRefusal(error, protocol, service.name);
  if (error instanceof Fault) {
    deps.log.error("fault", { requestId, kind: error.kind, text: error.message });
    return error.kind.endsWith("authentication")
      ? new Refusal("InternalFailure", `${error.message}; see the server's log`, { status: 500 })
      : new Refusal("ServiceUnavailable", error.message, { status: 503 });
  }
  const stack = error instanceof Error ? error.stack : String(error);
  deps.log.error("bug", { requestId, service: service.name, stack });
  const text = `An internal error occurred; request ${requestId} is in the server's log.`;
  return new Refusal("InternalFailure", text, { status: 500 });
}

const gatewayTexts: Readonly<Record<GatewayRefusal, readonly [code: string, text: string]>> = {
  "body-too-large": ["RequestEntityTooLarge", "The request is larger than it may be."],
  "body-too-slow": ["RequestTimeout", "The request body came too slowly."],
  busy: ["ServiceUnavailable", "Too many requests wait for their body; please try again."],
  internal: ["InternalFailure", "An internal error occurred."],
};

function refuse(
  deps: FrontDependencies,
  exchange: HttpExchange,
  refusal: GatewayRefusal,
): HttpReply {
  const [code, text] = gatewayTexts[refusal];
  const form = formOf(deps, wireRequest(exchange, noBody));
  const error = new Refusal(code, text, { status: refusalStatus[refusal] });
  return answerError(deps, form, error, deps.random.uuid()).reply;
}
