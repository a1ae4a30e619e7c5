import type { CliIo } from "./io.ts";

/** Colours for a terminal; for anything else the text as it is. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

/** Colour goes to terminals only, and nowhere with NO_COLOR (https://no-color.org). */
export function paintFor({ terminal, environment }: CliIo): Paint {
  const colour = terminal === true && !environment.NO_COLOR;
  const paint = (code: number) => (text: string) =>
    colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { good: paint(32), bad: paint(31), faint: paint(2), strong: paint(1) };
}
