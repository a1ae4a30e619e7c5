import type { Call } from "./call.ts";
import type { ServicePrincipal } from "./caller.ts";
import type { Outcome } from "./operation.ts";
import type { Soon } from "./soon.ts";

/**
 * A call from one service to another, inside the process. It walks the same way as a request from
 * outside (resolve, authorise, handle, audit) under the identity that AWS would use. Its commands
 * are the caller's to commit; its audit records join the outer request's commit in any case.
 * Where nothing has to be waited for, it is done, or has thrown, at once.
 */
export type Invoke = <O>(call: Call, target: InvokeTarget, input: object) => Soon<Outcome<O>>;

export interface InvokeTarget {
  readonly service: string;
  readonly operation: string;
  /** Region of the resource; default the outer call's. */
  readonly region?: string;
  readonly as: InvokeIdentity;
}

export type InvokeIdentity =
  /** Forward access session: the caller's own identity, used by `via`. */
  | { readonly kind: "caller"; readonly via: ServicePrincipal }
  /** The service itself, acting for one of its resources. */
  | {
      readonly kind: "service";
      readonly service: ServicePrincipal;
      readonly sourceArn: string;
      readonly sourceAccountId: string;
    };
