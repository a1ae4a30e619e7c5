import type { StorePeers } from "../kernel/peers.ts";
import type { DataKeyHolder } from "../sealing/sealer.ts";

/**
 * Key material that goes in one process goes in all: each wipes the data keys that it opened. Who
 * may have missed the word for it wipes them all, and asks the KMS again.
 */
export function forgetWithPeers<S extends DataKeyHolder>(own: S, peers: StorePeers): S {
  peers.on("kms.material-gone", (keyArn) => own.forget(keyArn));
  peers.onGap(() => own.close());
  return {
    ...own,
    forget(keyArn: string) {
      peers.tell("kms.material-gone", keyArn);
      return own.forget(keyArn);
    },
  };
}
