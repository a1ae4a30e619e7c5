import type { RawAnswer } from "./raw.ts";
import type { TestCredentials, TestServer } from "./server.ts";

/** One KMS request, answered with the very bytes that came back. */
export function rawKms(
  server: TestServer,
  operation: string,
  input: object,
  credentials: TestCredentials = server.root,
): Promise<RawAnswer> {
  return server.send({
    ...credentials,
    service: "kms",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `TrentService.${operation}`,
    },
    body: JSON.stringify(input),
  });
}
