import type { WireRequest } from "../../../src/wire/service.ts";

/** A request of the query protocol with a form as its body. */
export function formRequest(body: string | Buffer, more: Partial<WireRequest> = {}): WireRequest {
  return {
    method: "POST",
    path: "/",
    query: "",
    headers: new Map([
      ["host", "localhost:4566"],
      ["content-type", "application/x-www-form-urlencoded"],
    ]),
    body: Buffer.from(body),
    ...more,
  };
}

/** A request of the JSON protocol; `target` is X-Amz-Target. */
export function jsonRequest(target: string, body: unknown): WireRequest {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return {
    method: "POST",
    path: "/",
    query: "",
    headers: new Map([
      ["content-type", "application/x-amz-json-1.0"],
      ["x-amz-target", target],
    ]),
    body: bytes,
  };
}
