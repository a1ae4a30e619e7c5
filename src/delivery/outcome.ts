import type { CarrierAnswer } from "../services/sns/ports.ts";
import { TargetRefused } from "./targets.ts";

/** A status as deliveries judge it. AWS: 4xx is for good, but for 429; 5xx may pass. */
export function judgeStatus(statusCode: number, text: string): CarrierAnswer {
  if (statusCode >= 200 && statusCode <= 299) return { ok: true, statusCode, response: text };
  // AWS?: redirects are not followed, and nothing says that they will end.
  const retryable = statusCode === 429 || statusCode < 200 || statusCode >= 500;
  const shown = cleaned(text);
  return {
    ok: false,
    code: `HTTP${statusCode}`,
    text: `the endpoint answered ${statusCode}${shown === "" ? "" : `: ${shown}`}`,
    retryable,
    statusCode,
  };
}

/** An exchange that came to no answer. */
export function judgeError(error: unknown): CarrierAnswer {
  if (error instanceof TargetRefused) {
    return { ok: false, code: "EndpointNotAllowed", text: error.message, retryable: false };
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  const text =
    message === "timeout" ? "the endpoint did not answer in time" : cleaned(`${code} ${message}`);
  return { ok: false, code: "EndpointUnreachable", text, retryable: true };
}

/** What an endpoint said, fit for logs and lists: one line, and not a long one. */
function cleaned(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return line.trim().slice(0, 200);
}
