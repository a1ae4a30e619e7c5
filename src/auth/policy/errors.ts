/**
 * A policy that is not one. `path` names the place (`Statement[1].Condition.StringEquals`, or
 * `line 3, column 7` where it is no JSON); `reason` is a sentence for the author. Services give it
 * the code of their own API.
 */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly path: string;
  readonly reason: string;
  /** `syntax`: no JSON at all; IAM says so in words of its own. */
  readonly kind: "syntax" | "grammar";

  constructor(path: string, reason: string, kind: "syntax" | "grammar" = "grammar") {
    super(path === "" ? reason : `${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
    this.kind = kind;
  }
}

/** A user's text as an error shows it: bounded, and never with control characters. */
export function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
