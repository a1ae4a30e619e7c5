import { describe, test } from "node:test";
import { auditContract } from "./audit.ts";
import { commitContract } from "./commit.ts";
import type { Contract, OpenStore } from "./fixtures.ts";
import { lifecycleContract } from "./lifecycle.ts";
import { longHistoryContract } from "./long-history.ts";
import { messagesContract } from "./messages.ts";
import { undeliveredContract } from "./undelivered.ts";

const contracts: Readonly<Record<string, Contract>> = {
  commit: commitContract,
  messages: messagesContract,
  lifecycle: lifecycleContract,
  undelivered: undeliveredContract,
  audit: { ...auditContract, ...longHistoryContract },
};

/** Registers the whole contract for one kind of store; each test gets an empty store. */
export function testStoreContract(name: string, open: OpenStore): void {
  for (const [part, contract] of Object.entries(contracts)) {
    describe(`${name}: ${part}`, () => {
      for (const [promise, check] of Object.entries(contract)) {
        test(promise, async () => {
          const store = await open();
          try {
            await check(store);
          } finally {
            await store.close();
          }
        });
      }
    });
  }
}
