import type { ClaimMessages } from "../../services/sqs/store.ts";
import type { Session } from "./session.ts";

/** How much of a queue is in flight, so that no claim goes beyond its limit. */
export interface InFlight {
  /** How many more messages the queue lets be in flight. */
  room(session: Session, queue: number, command: ClaimMessages): Promise<number>;
  /** Claims need not know of each other: the limit is far, and that was seen lately. */
  isFar(queue: number, command: ClaimMessages): boolean;
  /** A claim of this process took so many. */
  took(queue: number, count: number): void;
}

interface Estimate {
  countedAtMs: number;
  inFlight: number;
}

/** An estimate is good for this long, if it is far below the limit. */
const goodForMs = 1000;
/** More than the claims that go out together take. */
const muchAtOnce = 1000;
const queuesMax = 100_000;

/**
 * Nobody keeps a count that all claims of all processes would have to change: it is counted in the
 * index, up to the limit. Far below the limit (a quarter) a count of less than a second ago, with
 * what this process took since, is good enough: other processes cannot take so many in the time.
 */
export function createInFlight(): InFlight {
  const estimates = new Map<number, Estimate>();
  function far(queue: number, { nowMs, inFlightMax }: ClaimMessages): Estimate | undefined {
    const known = estimates.get(queue);
    const fresh = known !== undefined && Math.abs(nowMs - known.countedAtMs) < goodForMs;
    return fresh && (known.inFlight + muchAtOnce) * 4 < inFlightMax ? known : undefined;
  }

  return {
    isFar: (queue, command) => far(queue, command) !== undefined,
    async room(session, queue, command) {
      const { nowMs, inFlightMax } = command;
      const known = far(queue, command);
      if (known) return inFlightMax - known.inFlight;
      const inFlight = await count(session, queue, nowMs, inFlightMax);
      if (estimates.size >= queuesMax) estimates.clear();
      estimates.set(queue, { countedAtMs: nowMs, inFlight });
      return inFlightMax - inFlight;
    },
    took(queue, taken) {
      const known = estimates.get(queue);
      if (known) known.inFlight += taken;
    },
  };
}

async function count(
  session: Session,
  queue: number,
  nowMs: number,
  limit: number,
): Promise<number> {
  const lanes = [0, 1, 2].map(
    (lane) => `SELECT 1 FROM messages WHERE queue = $1::int8 AND lane = ${lane}
      AND visible_at_ms > $2::int8 AND receive_count > 0`,
  );
  const [row] = await session.all<{ count: number }>(
    `SELECT count(*) AS count FROM (${lanes.join(" UNION ALL ")} LIMIT $3::int8) AS held`,
    queue,
    nowMs,
    limit,
  );
  return row?.count ?? 0;
}
