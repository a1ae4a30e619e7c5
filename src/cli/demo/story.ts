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

export function createStory(write: (text: string) => void, colour: boolean): Story {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      write(`\n${paint(1, `${chapters}. ${title}`)}\n`);
    },
    say: (text) => write(`   ${text}\n`),
    shows: (text) => write(`${paint(36, text.replace(/^/gm, "     │ "))}\n`),
    proves(claim, holds) {
      write(`   ${holds ? paint(32, "✔") : paint(31, "✖")} ${claim}\n`);
      if (!holds) throw new Error(`the demo did not show: ${claim}`);
    },
  };
}
