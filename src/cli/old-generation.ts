import { setFlagsFromString } from "node:v8";

/**
 * By how much V8's old generation may grow between two collections, in percent of what the last one
 * left. V8 would let it grow to four times that, since a collection costs it little; with this it
 * costs no more that could be seen. With 40 a publication to many queues costs a fifth more.
 */
const growthPercent = 100;

/** Of all threads of the process, from the next collection on. */
export function boundOldGeneration(percent = growthPercent): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
