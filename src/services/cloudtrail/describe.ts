import type { Trail } from "@aws-sdk/client-cloudtrail";
import type { Wire } from "../../kernel/wire-types.ts";
import type { TrailRecord } from "./records.ts";
import type { FoundTrail } from "./trail-operation.ts";

/** What CreateTrail and UpdateTrail answer. */
export function presentTrail({ arn, record }: FoundTrail) {
  return {
    Name: record.name,
    S3BucketName: record.bucket,
    ...(record.prefix !== undefined && { S3KeyPrefix: record.prefix }),
    ...(record.topic && { SnsTopicName: record.topic.name, SnsTopicARN: record.topic.arn }),
    IncludeGlobalServiceEvents: record.includeGlobal,
    IsMultiRegionTrail: record.multiRegion,
    TrailARN: arn,
    LogFileValidationEnabled: record.validation,
    ...(record.kmsKeyArn !== undefined && { KmsKeyId: record.kmsKeyArn }),
    IsOrganizationTrail: false,
  };
}

/** AWS: a trail as GetTrail and DescribeTrails show it. */
export function describeTrail(found: FoundTrail): Wire<Trail> {
  return {
    ...presentTrail(found),
    HomeRegion: found.record.homeRegion,
    HasCustomEventSelectors: hasCustomSelectors(found.record),
    HasInsightSelectors: false,
  };
}

function hasCustomSelectors({ selectors }: TrailRecord): boolean {
  return selectors !== undefined;
}
