import { decide, denialText } from "../auth/policy/index.ts";
import { AuthFailure, authFailureRefusal } from "../auth/sigv4.ts";
import { formatArn } from "../kernel/arn.ts";
import { callerAccountId, callerName } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import { Refusal } from "../kernel/errors.ts";
import type { IdentityPolicies } from "../kernel/policy.ts";
import type { RecordView } from "../kernel/records.ts";
import type { AdminGuard } from "./admin.ts";
import type { AdminAct } from "./admin-audit.ts";
import type { Authenticator } from "./authenticate.ts";
import { conditionsOf } from "./authorize.ts";
import type { HttpExchange } from "./exchange.ts";

export interface AdminGuardDependencies {
  readonly authenticator: Authenticator;
  readonly identityPolicies: IdentityPolicies;
  readonly view: () => RecordView;
  readonly clock: Clock;
  readonly operatorAccountId: string;
  /** Keeps the record of an act; resolves once it is durable. */
  readonly record?: (act: AdminAct) => Promise<void>;
}

/**
 * Guards `/_sealpost/…`: Signature V4 in headers with the service name `sealpost`, then the
 * caller's own policies. Actions `sealpost:*` exist only in the operator account.
 */
export function createAdminGuard(deps: AdminGuardDependencies): AdminGuard {
  const proven = new WeakMap<HttpExchange, Pick<AdminAct, "caller" | "region">>();
  return {
    async settled(exchange, action, input, error) {
      const who = proven.get(exchange);
      if (!who || !deps.record) return;
      const name = action.slice("sealpost:".length);
      await deps.record({ ...who, name, exchange, input: input ?? null, error });
    },
    async authorise(exchange, body, action) {
      const { authenticator, operatorAccountId } = deps;
      try {
        const claimed = await authenticator.claim(exchange, "sealpost");
        if (!claimed || claimed.claim.presigned) throw new AuthFailure("missing-token");
        const caller = authenticator.prove(exchange, body, claimed);
        const { region } = claimed.claim.scope;
        proven.set(exchange, { caller, region });
        const resource = formatArn("sealpost", region, operatorAccountId, "*");
        if (callerAccountId(caller) !== operatorAccountId) {
          const text = `${action} is for principals of the operator account ${operatorAccountId}`;
          throw new Refusal("AccessDenied", text, { status: 403 });
        }
        const request = {
          caller,
          action,
          resource,
          resourceAccountId: operatorAccountId,
          service: "sealpost",
          ...(await deps.identityPolicies.of(deps.view(), caller)),
          endpoint: exchange.transportFacts.endpoint?.policy,
          context: conditionsOf(deps.clock, {
            caller,
            transport: exchange.transportFacts,
            region,
            via: undefined,
            service: "sealpost",
            resourceAccountId: operatorAccountId,
            resourceTags: undefined,
          }),
        };
        const decision = decide(request);
        if (decision.allowed) return;
        const text = denialText(decision, request, action, callerName(caller));
        const { explicit, statements } = decision;
        const denial = { action, resource, reason: text, explicit, statements };
        throw new Refusal("AccessDenied", text, { status: 403, denial });
      } catch (error) {
        if (error instanceof AuthFailure) throw authFailureRefusal(error, "query", "sealpost");
        throw error;
      }
    },
  };
}
