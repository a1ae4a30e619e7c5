/** Asks the person at the terminal without showing what is typed; undefined: there is nobody. */
export async function askSecret(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return undefined;
  // First: what is typed ahead must not be shown either.
  stdin.setRawMode(true);
  try {
    stderr.write(question);
    return await typedLine();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

const interrupt = "\u0003";
const endOfInput = "\u0004";
const erase = new Set(["\u007f", "\b"]);

function typedLine(): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let typed = "";
  const onData = (chunk: Buffer): undefined => {
    for (const character of chunk.toString()) {
      if (character === "\r" || character === "\n") return done(typed);
      if (character === interrupt || character === endOfInput) return done(undefined);
      typed = erase.has(character) ? typed.slice(0, -1) : typed + character;
    }
  };
  const done = (text: string | undefined): undefined => {
    process.stdin.off("data", onData);
    resolve(text);
  };
  process.stdin.on("data", onData);
  return promise;
}
