import { fold } from "../fold.ts";

/** Prints the demo so that a person can follow it. */
export interface Story {
  chapter(title: string): void;
  /** What is done and why. */
  say(text: string): void;
  /** What the server answered. */
  shows(text: string): void;
  /** Checks a claim; a demo that shows something else than it says fails. */
  proves(claim: string, holds: boolean): void;
}

/** `columns`: lines are folded there. */
export function createStory(
  write: (text: string) => void,
  colour: boolean,
  columns = Number.POSITIVE_INFINITY,
): Story {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      write(`\n${paint(1, `${chapters}. ${title}`)}\n`);
    },
    say: (text) => write(`${fold(`   ${text}`, columns, "   ")}\n`),
    shows(text) {
      const folded = fold(text, columns - shownIndent.length, "  ");
      write(`${paint(36, folded.replace(/^/gm, shownIndent))}\n`);
    },
    proves(claim, holds) {
      const mark = holds ? paint(32, "✔") : paint(31, "✖");
      write(`   ${mark} ${fold(claim, columns - 5, "     ")}\n`);
      if (!holds) throw new Error(`the demo did not show: ${claim}`);
    },
  };
}

/** Leaves 75 of 80 columns, as many as the ARN of a key has. */
const shownIndent = "   │ ";
