import type { CreateTrailRequest, CreateTrailResponse } from "@aws-sdk/client-cloudtrail";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedConfiguration, auditedTrail, configured } from "../configure.ts";
import { presentTrail } from "../describe.ts";
import { checkTrailName, trailArn } from "../names.ts";
import type { CloudtrailDependencies } from "../ports.ts";
import { type TrailRecord, trailRecords } from "../records.ts";
import { refuse } from "../refusals.ts";
import { readTags } from "../tags.ts";
import { foundTrail, putTrail, scope } from "../trail-operation.ts";

type Input = Wire<CreateTrailRequest>;
type Output = Wire<CreateTrailResponse>;

/** AWS: trails of an account in a region. */
const trailsMax = 5;

/** AWS: a new trail does not log until StartLogging. */
export function createTrailOperation(deps: CloudtrailDependencies): Operation<Input, Output> {
  return {
    name: "CreateTrail",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: [...auditedConfiguration, "TagsList"],
      response: auditedTrail,
    },
    resources({ Name }, { accountId, region }) {
      checkTrailName(Name);
      const arn = trailArn({ accountId, region, name: Name });
      return [{ arn, accountId, type: "AWS::CloudTrail::Trail" }];
    },
    async handle(input, call) {
      const { accountId, region } = call;
      const identity = { accountId, region, name: input.Name };
      await checkThereIsRoom(call, input);
      const fresh: TrailRecord = {
        name: input.Name,
        homeRegion: region,
        bucket: input.S3BucketName,
        remote: deps.buckets.remote,
        includeGlobal: true,
        multiRegion: false,
        validation: false,
        createdMs: call.now,
        logging: false,
        tags: readTags(input.TagsList ?? []),
      };
      const record = await configured(deps, call, identity, fresh, input);
      return {
        output: presentTrail(foundTrail(accountId, record)),
        commands: [putTrail(identity, record)],
      };
    },
  };
}

async function checkThereIsRoom(call: Call, { Name, IsMultiRegionTrail }: Input): Promise<void> {
  const { accountId, region } = call;
  const trails = (await trailRecords.list(call.records, scope(accountId))).map((one) => one.value);
  const here = trails.filter((trail) => trail.homeRegion === region || trail.multiRegion);
  // The name of a multi-region trail is its own in every region.
  const rivals = IsMultiRegionTrail ? trails : here;
  if (rivals.some((trail) => trail.name === Name)) {
    throw refuse(
      "TrailAlreadyExistsException",
      `Trail ${Name} already exists for customer: ${accountId}`,
    );
  }
  if (here.length >= trailsMax) {
    throw refuse(
      "MaximumNumberOfTrailsExceededException",
      `User: ${accountId} already has ${trailsMax} trails in ${region}.`,
    );
  }
}
