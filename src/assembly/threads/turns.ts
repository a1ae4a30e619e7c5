import type { TopicTurns } from "../../services/sns/ports.ts";
import type { Turn } from "../../state/turns.ts";
import type { Line } from "../../threads/line.ts";

export type TakeTurn = (name: string) => Promise<Turn>;

/** Turns that all threads take in one line, kept by the first one. `topic` names the kind. */
export function serveTurns(line: Line, topic: string, take: TakeTurn): void {
  const held = new Map<number, Turn>();
  line.on<readonly [id: number, name: string]>(`${topic}.take`, async ([id, name]) => {
    held.set(id, await take(name));
  });
  line.on<number>(`${topic}.back`, (id) => {
    held.get(id)?.giveBack();
    held.delete(id);
  });
}

export function turnsElsewhere(line: Line, topic: string): TakeTurn {
  let lastId = 0;
  return async (name) => {
    lastId += 1;
    const id = lastId;
    await line.ask(`${topic}.take`, [id, name]);
    return { giveBack: () => line.tell(`${topic}.back`, id) };
  };
}

/** The turn of a topic, as something that is held. */
export function topicTurn(turns: TopicTurns): TakeTurn {
  return (topicArn) =>
    new Promise((resolve, reject) => {
      const held = () => new Promise<void>((done) => resolve({ giveBack: done }));
      turns.run(topicArn, held).catch(reject);
    });
}

export function topicTurnsBy(take: TakeTurn): TopicTurns {
  return {
    async run(topicArn, act) {
      const turn = await take(topicArn);
      try {
        return await act();
      } finally {
        turn.giveBack();
      }
    },
  };
}
