import type { Soon } from "../kernel/soon.ts";

/**
 * Memory that requests may take at the same time. What finds none is not refused: it waits, in
 * order. Whatever is larger than all of it runs alone.
 */
export interface Room {
  /** Waits until there is room for the bytes. Answers how much is to be given back. */
  take(bytes: number): Soon<number>;
  giveBack(bytes: number): void;
}

interface Waiter {
  readonly bytes: number;
  readonly enter: (bytes: number) => void;
}

/**
 * Of one gateway thread: some 700 deliveries of 1 KiB before they are packed for the store. With
 * less the store waits for the gateway.
 */
const roomBytesMax = 12 * 1024 * 1024;

export function createRoom(bytesMax = roomBytesMax): Room {
  const line: Waiter[] = [];
  let freeBytes = bytesMax;
  return {
    take(bytes) {
      const wanted = Math.min(bytes, bytesMax);
      if (line.length === 0 && wanted <= freeBytes) {
        freeBytes -= wanted;
        return wanted;
      }
      return new Promise((enter) => line.push({ bytes: wanted, enter }));
    },
    giveBack(bytes) {
      freeBytes += bytes;
      for (let [first] = line; first && first.bytes <= freeBytes; [first] = line) {
        line.shift();
        freeBytes -= first.bytes;
        first.enter(first.bytes);
      }
    },
  };
}
