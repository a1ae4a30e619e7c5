import type { DescribeTrailsRequest, DescribeTrailsResponse } from "@aws-sdk/client-cloudtrail";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { describeTrail } from "../describe.ts";
import { readTrail } from "../names.ts";
import { trailRecords } from "../records.ts";
import { everyTrail, type FoundTrail, findTrail, foundTrail, scope } from "../trail-operation.ts";

type Input = Wire<DescribeTrailsRequest>;
type Output = Wire<DescribeTrailsResponse>;

/** AWS: names of trails that are not there are passed over. */
export function describeTrailsOperation(): Operation<Input, Output> {
  return {
    name: "DescribeTrails",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["trailNameList", "includeShadowTrails"],
    },
    resources: (_input, call) => everyTrail(call),
    async handle({ trailNameList = [], includeShadowTrails = true }, call) {
      const found =
        trailNameList.length > 0 ? await byNames(call, trailNameList) : await allOf(call);
      const shown = found.filter(
        ({ record }) =>
          record.homeRegion === call.region || (includeShadowTrails && record.multiRegion),
      );
      return { output: { trailList: shown.map(describeTrail) } };
    },
  };
}

async function byNames(call: Call, names: readonly string[]): Promise<readonly FoundTrail[]> {
  const found = await Promise.all(
    names
      .map((name) => readTrail(name, call))
      .filter(({ accountId }) => accountId === call.accountId)
      .map((reference) => findTrail(call, reference)),
  );
  return found.filter((trail) => trail !== undefined);
}

async function allOf(call: Call): Promise<readonly FoundTrail[]> {
  const all = await trailRecords.list(call.records, scope(call.accountId));
  return all.map(({ value }) => foundTrail(call.accountId, value));
}
