import { type Denial, Fault, Refusal, StaleDecision } from "../kernel/errors.ts";

/** An error as plain data: one of the three failures, on its way to another thread. */
export type Failure =
  | {
      readonly kind: "refusal";
      readonly code: string;
      readonly text: string;
      readonly status?: number | undefined;
      readonly denial?: Denial | undefined;
    }
  | { readonly kind: "fault"; readonly fault: string; readonly text: string }
  | { readonly kind: "stale"; readonly changesRecords: boolean }
  | { readonly kind: "bug"; readonly text: string };

export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal) {
    const { code, message: text, status, denial } = error;
    return { kind: "refusal", code, text, status, denial };
  }
  if (error instanceof Fault) return { kind: "fault", fault: error.kind, text: error.message };
  if (error instanceof StaleDecision) {
    return { kind: "stale", changesRecords: error.changesRecords };
  }
  return { kind: "bug", text: error instanceof Error ? error.message : String(error) };
}

export function errorOf(failure: Failure): Error {
  switch (failure.kind) {
    case "refusal": {
      const { code, text, status, denial } = failure;
      return new Refusal(code, text, {
        ...(status !== undefined && { status }),
        ...(denial && { denial }),
      });
    }
    case "fault":
      return new Fault(failure.fault, failure.text);
    case "stale":
      return new StaleDecision(failure.changesRecords);
    default:
      return new Error(failure.text);
  }
}
