import type { DeleteTrailRequest, DeleteTrailResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { deliveryRecords, firstDelivery, targetOf } from "../deliveries.ts";
import type { CloudtrailDependencies } from "../ports.ts";
import { removeTrail, trailOperation } from "../trail-operation.ts";

/** AWS: what was recorded before still goes out, with a last digest. */
export function deleteTrailOperation(
  deps: CloudtrailDependencies,
): Operation<Wire<DeleteTrailRequest>, Wire<DeleteTrailResponse>> {
  return trailOperation<Wire<DeleteTrailRequest>, Wire<DeleteTrailResponse>>({
    name: "DeleteTrail",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["Name"] },
    trail: ({ Name }) => Name,
    homeOnly: true,
    async handle(_input, call, { identity, record }) {
      const target = targetOf(record);
      const before = await deliveryRecords.get(call.records, identity);
      const last = { ...(before ?? firstDelivery(identity, target)), target };
      return {
        output: {},
        commands: [removeTrail(identity), deliveryRecords.put(identity, last)],
        committed: deps.trailWork,
      };
    },
  });
}
