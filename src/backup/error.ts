/** A backup that cannot be used as asked; the text is for the person at the command line. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}
