/**
 * The others on one store, threads or processes: what this one learns from them and tells them. A
 * store that one thread works on has none.
 */
export interface Peers {
  /**
   * Whether what is cached of the configuration may be relied on; first tells the listeners of
   * versions what is known by now. If not, everything has to be read anew.
   */
  trusted(): boolean;
  /** An account's configuration is at this version now, as the feed of versions says. */
  onVersion(listener: (accountId: string, version: number) => void): void;
  /** Accounts whose versions are looked at: those that are cached. */
  watch(accounts: () => readonly string[]): void;
  /** Tells all others, soon. */
  tell(topic: string, text: string): void;
  on(topic: string, listener: (text: string) => void): void;
}

/**
 * Other processes on a shared store. What is told is a hint and may get lost with a connection:
 * whoever listens looks for itself now and then. Configuration is more than a hint: it is trusted
 * while the present versions were read less than a second ago.
 */
export interface StorePeers extends Peers {
  /** The database's time less this machine's steady one, in milliseconds. */
  clockOffsetMs(): number;
  /** Hints may have been missed: the connection that they come by was lost, or made again. */
  onGap(listener: () => void): void;
  /** Runs an act while no other process runs one of this name. */
  alone<T>(name: string, act: () => Promise<T>): Promise<T>;
  /**
   * Takes or keeps a lease for this process, in the database's time: true if nobody else has it
   * until then. A Fault is as good as false.
   */
  lease(name: string, forMs: number): Promise<boolean>;
  /** Gives a lease back before its time. */
  release(name: string): Promise<void>;
}
