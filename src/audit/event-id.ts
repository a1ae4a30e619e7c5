import type { Random } from "../kernel/random.ts";

/**
 * Id of an event: a UUID of version 7 (RFC 9562), which begins with the event's time in
 * milliseconds. AWS?: says only that it is a GUID. Ids in order of time lie side by side in their
 * index; random ones touch a page of it for each event, and what a commit writes is what many calls
 * wait for. The record shows its time anyway.
 */
export function newEventId(random: Random, timeMs: number): string {
  if (timeMs !== latest.timeMs) {
    const time = timeMs.toString(16).padStart(12, "0");
    latest = { timeMs, text: `${time.slice(0, 8)}-${time.slice(8)}-7` };
  }
  return latest.text + random.uuid().slice(15);
}

/** Many events of a busy server end in the same millisecond. */
let latest = { timeMs: Number.NaN, text: "" };
