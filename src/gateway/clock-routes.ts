import type { Clock } from "../kernel/clock.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import type { AdminReply, AdminRoute } from "./admin.ts";

/** The service clock as the routes see it. */
export interface AdvancingClock extends Clock {
  advance(milliseconds: number): Promise<void>;
}

/** `/_sealpost/clock`: shows the service clock; moves it if it is virtual. */
export function clockRoutes(clock: Clock, virtual: AdvancingClock | undefined): AdminRoute[] {
  const show = (): AdminReply => ({
    json: {
      clock: virtual ? "virtual" : "system",
      now: new Date(clock.now()).toISOString(),
    },
  });
  return [
    { method: "GET", path: "/_sealpost/clock", action: "sealpost:GetClock", handle: show },
    {
      method: "POST",
      path: "/_sealpost/clock",
      action: "sealpost:AdvanceClock",
      // Steps of a test, not of the installation's history: each record tells its own time.
      unrecorded: true,
      async handle(input) {
        if (!virtual) throw invalid("the system clock cannot be moved; start with --clock virtual");
        await virtual.advance(readAdvance(input, virtual.now()));
        return show();
      },
    },
  ];
}

/** A hundred years: further moves only overflow what is computed from the time. */
const advanceSecondsMax = 100 * 366 * 86_400;
/** End of the year 9999, the last that ISO 8601 writes with four digits. */
const epochMsMax = 253_402_300_799_999;

function readAdvance(input: Json | undefined, now: number): number {
  const members = typeof input === "object" && input !== null ? Object.keys(input) : [];
  if (members.length !== 1 || members[0] !== "advanceSeconds") {
    throw invalid('the body must be {"advanceSeconds": <number>}');
  }
  const seconds = (input as { readonly advanceSeconds: Json }).advanceSeconds;
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= advanceSecondsMax)) {
    throw invalid(`advanceSeconds must be a number from 0 to ${advanceSecondsMax}`);
  }
  const milliseconds = Math.round(seconds * 1000);
  if (now + milliseconds > epochMsMax) throw invalid("the clock cannot pass the year 9999");
  return milliseconds;
}

function invalid(message: string): Refusal {
  return new Refusal("InvalidRequest", message, { status: 400 });
}
