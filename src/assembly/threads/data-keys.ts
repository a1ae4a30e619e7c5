import type { SealingFacts } from "../../sealing/sealed-under.ts";
import type { BorrowKey, DataKeyHolder, KeyLoan, LentKey } from "../../sealing/sealer.ts";
import { type Line, Moved } from "../../threads/line.ts";

interface LoanQuestion {
  readonly loan: KeyLoan;
  /** Names the fetch that the asking thread makes if the cache has no key. */
  readonly fetchId: number;
}

/**
 * The data keys of the process lie in the first thread's cache; further threads hold copies of what
 * they use. What is forgotten is forgotten by all before the one who said so goes on.
 */
export function lendDataKeys(lines: readonly Line[], sealer: DataKeyHolder): void {
  for (const line of lines) {
    line.on<LoanQuestion>("data-key.lend", async ({ loan, fetchId }) =>
      moved(await sealer.lend(loan, () => fetchedBy(line, fetchId))),
    );
    line.on<string>("data-key.forget", (keyArn) => sealer.forget(keyArn));
  }
}

/** The thread that needs the key asks the KMS for it, as its caller. */
async function fetchedBy(line: Line, fetchId: number): Promise<LentKey> {
  return ownKey(await line.ask<LentKey>("data-key.fetch", fetchId));
}

export function forgetWithThreads<S extends DataKeyHolder>(own: S, lines: readonly Line[]): S {
  return {
    ...own,
    async forget(keyArn: string) {
      await own.forget(keyArn);
      await Promise.all(lines.map((line) => line.ask("data-key.forgotten", keyArn)));
    },
  };
}

/** For a further thread: keys from the first one's cache. */
export function borrowDataKeys(line: Line): BorrowKey {
  const fetches = new Map<number, () => Promise<LentKey>>();
  let lastId = 0;
  line.on<number>("data-key.fetch", async (fetchId) => {
    const fetch = fetches.get(fetchId);
    if (!fetch) throw new Error("a data key is fetched for somebody who waits");
    return moved(await fetch());
  });
  return async (loan, fetch) => {
    lastId += 1;
    const fetchId = lastId;
    let failure: { readonly error: unknown } | undefined;
    fetches.set(fetchId, async () => {
      try {
        return await fetch();
      } catch (error) {
        failure = { error };
        throw error;
      }
    });
    try {
      return ownKey(await line.ask<LentKey>("data-key.lend", { loan, fetchId }));
    } catch (error) {
      // The error itself, not its copy: what was noted of it is noted once.
      throw failure ? failure.error : error;
    } finally {
      fetches.delete(fetchId);
    }
  };
}

export function forgetThroughFirst<S extends DataKeyHolder>(own: S, line: Line): S {
  line.on<string>("data-key.forgotten", (keyArn) => own.forget(keyArn));
  return { ...own, forget: (keyArn: string) => line.ask<void>("data-key.forget", keyArn) };
}

/** The key goes over in a buffer of its own, and leaves no copy behind. */
function moved(key: LentKey): Moved {
  const plaintext = Uint8Array.from(key.plaintext);
  key.plaintext.fill(0);
  return new Moved({ ...key, plaintext, facts: key.facts && ownFacts(key.facts) }, [
    plaintext.buffer,
  ]);
}

/** What lies in a pool with other buffers would take them along. */
function ownFacts({ stored, durable }: SealingFacts): SealingFacts {
  const blob = Uint8Array.from(stored.blob);
  return { stored: { ...stored, blob }, durable, handedOver: false };
}

function ownKey(key: LentKey): LentKey {
  const { plaintext } = key;
  return {
    ...key,
    plaintext: Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length),
  };
}
