import { readFileSync } from "node:fs";
import { headerValues } from "../../src/auth/canonical.ts";
import type { SignedRequest } from "../../src/auth/sigv4.ts";

/** A request signed by an independent implementation; see make-goldens.py. */
export interface Golden extends Omit<SignedRequest, "headers"> {
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly name: string;
  readonly body: Buffer;
  readonly service: string;
  readonly region: string;
}

interface GoldenFile {
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly timestamp: string;
  readonly cases: readonly {
    readonly name: string;
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string;
    readonly service: string;
    readonly region: string;
  }[];
}

const file: GoldenFile = JSON.parse(
  readFileSync(new URL("./goldens.json", import.meta.url), "utf8"),
);

/** Characters to one byte each, as node:http hands over what came over the wire. */
const wire = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

export const secret = Buffer.from(file.secretAccessKey);
export const sessionToken = file.sessionToken;
export const signedAtMs = Date.UTC(2015, 7, 30, 12, 36, 0);

export const goldens: readonly Golden[] = file.cases.map((one) => ({
  name: one.name,
  method: one.method,
  path: wire(one.path),
  query: wire(one.query),
  rawHeaders: one.headers.flatMap(([name, value]) => [name, wire(value)]),
  body: Buffer.from(one.body),
  service: one.service,
  region: one.region,
}));

export function golden(name: string): Golden {
  const found = goldens.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no golden ${name}`);
  return found;
}

/** The request with one header replaced, added (no such name) or dropped (`undefined`). */
export function withHeader(request: Golden, name: string, value: string | undefined): Golden {
  const rawHeaders: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [key = "", old = ""] = request.rawHeaders.slice(index, index + 2);
    if (key.toLowerCase() !== name.toLowerCase()) rawHeaders.push(key, old);
  }
  if (value !== undefined) rawHeaders.push(name, value);
  return { ...request, rawHeaders };
}

/** As the gateway hands it to the verifier. */
export function received(request: Golden): SignedRequest {
  return { ...request, headers: headerValues(request.rawHeaders) };
}

export function header(request: Golden, name: string): string {
  const at = request.rawHeaders.findIndex(
    (text, index) => index % 2 === 0 && text.toLowerCase() === name.toLowerCase(),
  );
  return request.rawHeaders[at + 1] ?? "";
}
