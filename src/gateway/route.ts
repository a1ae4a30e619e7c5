import type { SignedClaim } from "../auth/sigv4.ts";
import { Refusal } from "../kernel/errors.ts";
import type { WireRequest, WireService } from "../wire/service.ts";
import { serviceOfUnsigned } from "../wire/service.ts";

/**
 * Which service a request is for: the credential scope says so; an unsigned one by its Action and
 * Version, its target header, or a queue-URL path.
 */
export function routeService(
  services: ReadonlyMap<string, WireService>,
  claim: SignedClaim | undefined,
  request: WireRequest,
): WireService {
  const name = claim ? claim.service : serviceOfUnsigned(request);
  const service = name === undefined ? undefined : services.get(name);
  if (service) return service;
  if (name === undefined) {
    throw new Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", {
      status: 403,
    });
  }
  throw new Refusal("NotImplemented", `Sealpost does not offer the service ${name}`, {
    status: 501,
  });
}
