/**
 * Copies a store and kills itself, as kill -9 would, once this many rows are copied.
 * Arguments: from, to, rows.
 */
import { copyStore } from "../../../src/assembly/store-copy.ts";

const [, , from = "", to = "", rows = ""] = process.argv;

await copyStore({
  from,
  to,
  progress(step, copied) {
    if (step === "copy" && copied >= Number(rows)) process.kill(process.pid, "SIGKILL");
  },
});
