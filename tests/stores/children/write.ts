/**
 * Writes and deletes messages until it is killed, and says on stdout what was acknowledged, one
 * line each, synchronously: `+ id` inserted, `? id` about to be deleted, `- id` deleted.
 *
 * Arguments: path, round, and `early` to acknowledge before the commit (what a store must not do)
 * and die before any commit was sent.
 */
import { writeSync } from "node:fs";
import type { Store } from "../../../src/kernel/command.ts";
import { silentLog } from "../../../src/kernel/log.ts";
import type { DeleteMessages, QueueIdentity } from "../../../src/services/sqs/store.ts";
import { openSqliteStore } from "../../../src/stores/sqlite/open.ts";
import * as fixtures from "../contract/fixtures.ts";

const [, , path = "", round = "", mode = "honest"] = process.argv;
const writers = 16;
const queue: QueueIdentity = fixtures.queueNamed("survivors");
/** A full pipe says EAGAIN: the line is written once the reader has made room. */
const say = (line: string): void => {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
};

/** Inserts two, then claims some and deletes one of them: the queue grows slowly. */
async function write(store: Store, writer: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    for (const half of ["a", "b"]) {
      const id = `${round}.${writer}.${turn}${half}`;
      const insert = fixtures.insertInto(queue, fixtures.messageNamed(id, "key-1", 1));
      if (mode === "early") say(`+ ${id}`);
      if (mode === "early" && writer === writers - 1) process.kill(process.pid, "SIGKILL");
      await fixtures.commit(store, insert);
      if (mode !== "early") say(`+ ${id}`);
    }
    const claimId = `${round}.${writer}.${turn}`;
    const count = { count: 1, visibleAgainMs: 2 };
    const claim = fixtures.claimFrom(queue, 1, claimId, count);
    const [{ messages }] = await fixtures.commit(store, claim);
    for (const { sequence, messageId } of messages) {
      say(`? ${messageId}`);
      const gone = [{ sequence, claimId }];
      const remove: DeleteMessages = { kind: "sqs.delete", queue, messages: gone };
      const [[result]] = await fixtures.commit(store, remove);
      if (result === "deleted") say(`- ${messageId}`);
    }
  }
}

const store = await openSqliteStore({ path, log: silentLog });
await fixtures.commit(store, fixtures.putDataKey(fixtures.dataKeyNamed("key-1")));
say("ready");
await Promise.all(Array.from({ length: writers }, (_, writer) => write(store, writer)));
