import type { UpdateTrailRequest, UpdateTrailResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedConfiguration, auditedTrail, configured } from "../configure.ts";
import { presentTrail } from "../describe.ts";
import type { CloudtrailDependencies } from "../ports.ts";
import { trailRecords } from "../records.ts";
import { refuse } from "../refusals.ts";
import { foundTrail, putTrail, scope, trailOperation } from "../trail-operation.ts";

type Input = Wire<UpdateTrailRequest>;
type Output = Wire<UpdateTrailResponse>;

/** AWS: what is not given stays. Logging goes on meanwhile. */
export function updateTrailOperation(deps: CloudtrailDependencies): Operation<Input, Output> {
  return trailOperation<Input, Output>({
    name: "UpdateTrail",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: auditedConfiguration,
      response: auditedTrail,
    },
    trail: ({ Name }) => Name,
    homeOnly: true,
    async handle(input, call, { identity, record }) {
      const { accountId } = identity;
      const changed = await configured(deps, call, identity, record, input);
      if (changed.multiRegion && !record.multiRegion) {
        const all = await trailRecords.list(call.records, scope(accountId));
        const same = all.filter(({ value }) => value.name === record.name);
        if (same.length > 1) {
          throw refuse(
            "TrailAlreadyExistsException",
            `Trail ${record.name} already exists for customer: ${accountId}`,
          );
        }
      }
      return {
        output: presentTrail(foundTrail(accountId, changed)),
        commands: [putTrail(identity, changed)],
        committed: deps.trailWork,
      };
    },
  });
}
