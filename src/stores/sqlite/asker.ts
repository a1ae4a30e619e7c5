import type { MessagePort } from "node:worker_threads";
import { LateSealer } from "../../crypto/late-seal.ts";
import { assert } from "../../kernel/errors.ts";
import type { Asked, Told } from "./group.ts";
import { asked } from "./passing/asked.ts";
import { Incoming } from "./passing/incoming.ts";
import { Outgoing } from "./passing/outgoing.ts";
import { answered } from "./passing/told.ts";
import type { ChangeKeys, FromThread } from "./thread.ts";

/** Who asks the store thread: a thread of the process, by a port of its own. */
export class Asker {
  readonly port: MessagePort;
  /** Its name among the askers; the first is 0. */
  readonly number: number;
  private readonly sealer = new LateSealer();
  private readonly incoming = new Incoming(this.sealer);
  private readonly outgoing = new Outgoing();
  private readonly groups: ArrayBuffer[] = [];

  constructor(port: MessagePort, number: number) {
    this.port = port;
    this.number = number;
  }

  /** What a group asks. Its byte arrays hold until `done`. */
  questions(group: ArrayBuffer): Asked[] {
    const { incoming } = this;
    this.groups.push(group);
    incoming.open(group);
    const all: Asked[] = [];
    while (incoming.count > 0) all.push(incoming.next(asked));
    return all;
  }

  /** Data keys and the key of places come and go in the order of the groups that need them. */
  changeKeys(change: ChangeKeys): void {
    const { sealer } = this;
    switch (change.kind) {
      case "places-under":
        sealer.placesUnder(change.key);
        return;
      case "keep-key":
        sealer.keep(change.dataKeyId, change.key);
        return;
      case "drop-key":
        sealer.drop(change.dataKeyId);
        this.port.postMessage({ kind: "key-dropped" } satisfies FromThread);
    }
  }

  /** It asks no more. */
  end(): void {
    this.sealer.wipe();
    this.port.close();
  }

  tell(questions: readonly Asked[], answers: readonly Told[]): void {
    answers.forEach((told, index) => {
      const question = questions[index];
      assert(question, "each question has its answer");
      this.outgoing.add(answered, { asked: question, told });
    });
    const group = this.outgoing.take();
    this.port.postMessage(group satisfies FromThread, [group]);
  }

  /** All that was asked is carried out: the buffers of the questions can hold answers. */
  done(): void {
    for (const group of this.groups) this.outgoing.reuse(group);
    this.groups.length = 0;
  }
}
