import type { AuditResource } from "../../kernel/operation.ts";
import type { RecordEntry, RecordView } from "../../kernel/records.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { type TrailRecord, trailRecords } from "./records.ts";
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
  /**
   * The account's trails that deliver an event, decided under the view's configuration. Few
   * accounts have any: `facts` is asked where there is one.
   */
  of(view: RecordView, accountId: string, facts: () => EventFacts): Soon<readonly TrailPlace[]>;
}

type Trails = readonly RecordEntry<TrailRecord>[];

export const trailChoice: TrailChoice = {
  of: (view, accountId, facts) =>
    soon(trailRecords.list(view, { accountId, region: "" }), (trails) => chosen(trails, facts)),
};

const nothing: readonly TrailPlace[] = [];

function chosen(trails: Trails, factsOf: () => EventFacts): readonly TrailPlace[] {
  if (trails.length === 0) return nothing;
  const facts = factsOf();
  let places = nothing;
  for (const { value } of trails) {
    if (!delivers(value, facts)) continue;
    places = [...places, { name: value.name, region: value.homeRegion }];
  }
  return places;
}

/** AWS: a trail of one region takes that region's events, a multi-region trail those of all. */
function delivers(trail: TrailRecord, facts: EventFacts): boolean {
  if (!trail.logging) return false;
  if (!trail.multiRegion && trail.homeRegion !== facts.region) return false;
  if (facts.global && !trail.includeGlobal) return false;
  return selects(trail.selectors ?? defaultSelectors, facts);
}
