/** An act was decided under a state that another process changed since: it is decided again. */
export class DecidedOnOldState extends Error {
  override readonly name = "DecidedOnOldState";

  constructor() {
    super("another process changed what this act was decided under");
  }
}
