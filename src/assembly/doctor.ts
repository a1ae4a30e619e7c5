import type { DenialLog } from "../doctor/denial-log.ts";
import type { Inquiry } from "../doctor/inquiry.ts";
import { decisionBehind, decisionRequest } from "../gateway/authorize.ts";
import type { RefusedCall } from "../gateway/walk.ts";
import type { Transport } from "../kernel/call.ts";
import { callerName } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Denial } from "../kernel/errors.ts";
import type { IdentityPolicies } from "../kernel/policy.ts";
import type { RecordView } from "../kernel/records.ts";

/** How a person is supposed to come. A policy about addresses sees this machine. */
const supposedTransport: Transport = {
  secure: true,
  signed: true,
  sourceIp: "127.0.0.1",
  userAgent: "",
  baseUrl: "",
  tls: undefined,
};

export interface InquiryDependencies {
  readonly view: () => RecordView;
  readonly identityPolicies: IdentityPolicies;
  readonly clock: Clock;
}

/** Asks as the gateway asks: one function makes the question of a request and of `doctor`. */
export function openInquiry({ view, identityPolicies, clock }: InquiryDependencies): Inquiry {
  const now = view();
  return {
    view: now,
    nowMs: clock.now(),
    async ask({ action, via, ...supposed }, use) {
      const side = await identityPolicies.of(now, supposed.caller);
      const call = { ...supposed, via, transport: supposedTransport };
      return decisionRequest(clock, call, action, use, side);
    },
  };
}

/** Refusals without a policy decision that people would call a denial. */
const deniedByState: ReadonlySet<string> = new Set([
  "InvalidSecurity",
  "InvalidSecurityException",
  "DisabledException",
  "KMSInvalidStateException",
]);

/**
 * Tells the log of a refusal. A refusal of KMS comes by twice, once more in the words of the
 * service that asked; the first telling is the true one.
 */
export function denialNotes(
  log: Pick<DenialLog, "note">,
  clock: Clock,
): (refused: RefusedCall) => void {
  const told = new WeakSet<Denial>();
  return ({ table, operation, call, resources, refusal }) => {
    const { denial, code, message } = refusal;
    if (denial ? told.has(denial) : !deniedByState.has(code)) return;
    if (denial) told.add(denial);
    log.note({
      requestId: call.requestId,
      atMs: clock.now(),
      service: table.name,
      operation: operation.name,
      region: call.region,
      caller: callerName(call.caller),
      anonymous: call.caller.kind === "anonymous",
      action: denial?.action ?? `${table.name}:${operation.name}`,
      resource: denial?.resource ?? resources[0]?.arn ?? "*",
      code,
      message,
      request: denial && decisionBehind(denial),
    });
  };
}
