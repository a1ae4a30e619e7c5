/**
 * Folds a text at blanks so that lines have at most `columns` characters; further lines begin with
 * `hanging`. A longer word (an ARN, an address) and what stands between backticks (a command) stay
 * whole, so that they can be copied.
 */
export function fold(text: string, columns: number, hanging = ""): string {
  return text
    .split("\n")
    .map((line) => foldLine(line, columns, hanging))
    .join("\n");
}

function foldLine(line: string, columns: number, hanging: string): string {
  if (line.length <= columns) return line;
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = "";
  for (const word of wordsOf(line.slice(indent.length))) {
    const start = lines.length === 0 ? indent : hanging;
    const longer = current === "" ? start + word : `${current} ${word}`;
    if (longer.length <= columns || current === "") {
      current = longer;
    } else {
      lines.push(current);
      // A word that has room only without the indentation goes without.
      current = hanging.length + word.length <= columns ? hanging + word : word;
    }
  }
  return [...lines, current].join("\n");
}

/** Split at blanks; a blank between backticks belongs to its word. */
function wordsOf(line: string): string[] {
  const quoted = line.replace(/`[^`]*`/g, (text) => text.replaceAll(" ", unbroken));
  return quoted.split(" ").map((word) => word.replaceAll(unbroken, " "));
}

/** Stands for a blank that is kept; no text that is shown has it. */
const unbroken = "\u0000";
