import { fold } from "./fold.ts";

/** The same for a terminal, a file and a pipe: what is pasted elsewhere keeps its form. */
const columns = 80;

export function wrapped(text: string, indent: string): readonly string[] {
  return fold(indent + text, columns, indent).split("\n");
}

/** `1 hop`, `2 hops` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function page(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
