import type { Peers, StorePeers } from "../kernel/peers.ts";
import type { BorrowKey, DataKeyHolder } from "../sealing/sealer.ts";
import type { Arrivals } from "../services/sqs/arrivals.ts";
import { arrivalsBy } from "./arrivals.ts";
import { forgetWithPeers } from "./shared-sealer.ts";

/** How threads and processes that work on one store share what each of them caches. */
export interface Sharing {
  /** undefined: there are no others. */
  readonly peers: Peers | undefined;
  readonly arrivals: Arrivals | undefined;
  /** Where this thread gets data keys from; undefined: its own cache is that of the process. */
  readonly borrow?: BorrowKey | undefined;
  /** The sealer, with what is forgotten here forgotten by all. */
  readonly shareForgetting: <S extends DataKeyHolder>(own: S) => S;
}

/** With other processes on a shared store, or with nobody. */
export function sharingOf(peers: StorePeers | undefined): Sharing {
  if (!peers) return { peers, arrivals: undefined, shareForgetting: (own) => own };
  return {
    peers,
    arrivals: arrivalsBy(peers, () => performance.now()),
    shareForgetting: (own) => forgetWithPeers(own, peers),
  };
}
