/** The server cannot start as it is told to; the text says why, for the person who starts it. */
export class StartError extends Error {
  override readonly name = "StartError";
}
