import type { AuditResource } from "../../kernel/operation.ts";
import type { RecordView } from "../../kernel/records.ts";
import { trailRecords } from "./records.ts";
import { defaultSelectors, selects } from "./selectors.ts";
import type { TrailPlace } from "./store.ts";

/** What decides whether a trail delivers an event. */
export interface EventFacts {
  readonly category: "Management" | "Data";
  /** `awsRegion` of the record. */
  readonly region: string;
  /** Of a global service, which tells its story in one region. */
  readonly global: boolean;
  readonly readOnly: boolean;
  readonly eventSource: string;
  readonly eventName: string;
  readonly eventType: string;
  /** "" where the caller has none. */
  readonly identityArn: string;
  readonly resources: readonly AuditResource[];
}

/** Asked by the audit for each event. */
export interface TrailChoice {
  /** The account's trails that deliver an event, decided under the view's configuration. */
  of(view: RecordView, accountId: string, facts: EventFacts): Promise<readonly TrailPlace[]>;
}

const nothing: readonly TrailPlace[] = [];

/** AWS: a trail of one region takes that region's events, a multi-region trail those of all. */
export const trailChoice: TrailChoice = {
  async of(view, accountId, facts) {
    const trails = await trailRecords.list(view, { accountId, region: "" });
    if (trails.length === 0) return nothing;
    return trails
      .filter(({ value: trail }) => {
        if (!trail.logging) return false;
        if (!trail.multiRegion && trail.homeRegion !== facts.region) return false;
        if (facts.global && !trail.includeGlobal) return false;
        return selects(trail.selectors ?? defaultSelectors, facts);
      })
      .map(({ value: { name, homeRegion } }) => ({ name, region: homeRegion }));
  },
};
