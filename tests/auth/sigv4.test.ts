import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthFailure, readClaim, SigningKeyCache, verifySignature } from "../../src/auth/sigv4.ts";
import type { Golden } from "./requests.ts";
import { golden, goldens, header, received, secret, sessionToken, withHeader } from "./requests.ts";

/** Verified, or the kind of failure that stopped it. */
function outcome(request: Golden, keys?: SigningKeyCache, key = secret): boolean | string {
  try {
    const got = received(request);
    const claim = readClaim(got);
    return claim === undefined ? "unsigned" : verifySignature(claim, got, request.body, key, keys);
  } catch (error) {
    if (error instanceof AuthFailure) return error.kind;
    throw error;
  }
}

// Goal: signatures made by another implementation verify, with and without cached signing keys.
// Method: goldens of botocore over the inputs of the published suite; the twin has another secret.
for (const one of goldens) {
  test(`golden ${one.name}`, () => {
    const keys = new SigningKeyCache();
    assert.equal(outcome(one), true);
    assert.equal(outcome(one, keys), true);
    assert.equal(outcome(one, keys), true, "by the cached key");
    assert.equal(outcome(one, keys, Buffer.from("another secret")), false);
  });
}

// Goal: the goldens are AWS's own numbers, not only botocore's. Method: two published signatures.
test("published signatures", () => {
  const published = {
    "get-vanilla": "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    "get-utf8": "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
  };
  for (const [name, signature] of Object.entries(published)) {
    assert.equal(readClaim(received(golden(name)))?.signature, signature);
  }
});

/** Names of signed headers, and what must fail when one byte of them changes. */
function* tampered(request: Golden): Generator<[what: string, request: Golden]> {
  yield ["method", { ...request, method: `${request.method}X` }];
  for (let at = 0; at < request.body.length; at++) {
    const body = Buffer.from(request.body);
    body[at] = (body[at] ?? 0) ^ 1;
    yield [`body byte ${at}`, { ...request, body }];
  }
  yield ["longer body", { ...request, body: Buffer.concat([request.body, Buffer.from("x")]) }];
  for (const part of ["path", "query"] as const) {
    for (let at = 0; at < request[part].length; at++) {
      const text = `${request[part].slice(0, at)}${flip(request[part].charAt(at))}`;
      yield [`${part} byte ${at}`, { ...request, [part]: text + request[part].slice(at + 1) }];
    }
  }
  const signed = /SignedHeaders=([^,]+)/.exec(header(request, "Authorization"))?.[1] ?? "host";
  for (const name of signed.split(";")) {
    const value = header(request, name);
    for (let at = 0; at < value.length; at++) {
      const text = `${value.slice(0, at)}${flip(value.charAt(at))}${value.slice(at + 1)}`;
      yield [`${name} byte ${at}`, withHeader(request, name, text)];
    }
    yield [`${name} dropped`, withHeader(request, name, undefined)];
  }
}

/** Another letter than this one, never a blank and never its other case. */
const flip = (char: string): string => (char === "Q" || char === "q" ? "w" : "q");

// Goal: nothing that is signed can change. Method: every byte of method, path, query, signed
// headers and body in turn; the untouched request verifies (first test).
test("every changed byte fails", () => {
  let changes = 0;
  const tried = ["sqs-json", "path-of-queue", "presigned-blank-value", "presigned-header"];
  for (const name of [...tried, "kms-json-session", "get-vanilla-query-order-value"]) {
    const request = golden(name);
    for (const [what, changed] of tampered(request)) {
      changes++;
      assert.notEqual(outcome(changed), true, `${name}: ${what}`);
    }
  }
  assert.ok(changes > 1000, `${changes} changes tried`);
});

// Goal: a header name in another order of arrival, in another case and with a value split over two
// lines means the same; a value added to a signed header does not.
test("header order, case and repetition", () => {
  const request = golden("get-header-value-order");
  const pairs: string[][] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    pairs.push(request.rawHeaders.slice(at, at + 2));
  }
  const moved = [...pairs.slice(-2), ...pairs.slice(0, -2)].flat();
  assert.equal(outcome({ ...request, rawHeaders: moved }), true);
  const upper = pairs.flatMap(([name = "", value = ""]) => [name.toUpperCase(), value]);
  assert.equal(outcome({ ...request, rawHeaders: upper }), true);
  const joined = withHeader(request, "My-Header1", "value4,value1,value3,value2");
  assert.equal(outcome(joined), true);
  assert.equal(
    outcome({ ...request, rawHeaders: [...request.rawHeaders, "my-header1", "value5"] }),
    false,
  );
});

// Goal: the two ways to write a blank in a query are one, a plus sign is another character.
test("plus and %20", () => {
  const request = golden("query-blank-and-plus");
  assert.equal(outcome({ ...request, query: request.query.replace("x%20y", "x+y") }), true);
  assert.equal(outcome({ ...request, query: request.query.replace("x%20y", "x%2By") }), false);
});

// Goal: x-amz-content-sha256 must be the body's. Method: sent unsigned, so that only the comparison
// with the body can refuse it; the right value passes.
test("content hash", () => {
  const request = golden("post-x-www-form-urlencoded");
  const right = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
  assert.equal(outcome(withHeader(request, "X-Amz-Content-Sha256", right)), true);
  for (const wrong of [right.replace("9", "8"), "UNSIGNED-PAYLOAD", ""]) {
    assert.equal(outcome(withHeader(request, "X-Amz-Content-Sha256", wrong)), false);
  }
});

// Goal: what a claim says is what was sent. Method: one header form and one presigned form.
test("claims", () => {
  const claim = readClaim(received(golden("kms-json-session")));
  assert.equal(claim?.scope.accessKeyId, "AKIDEXAMPLE");
  assert.equal(claim?.scope.service, "kms");
  assert.equal(claim?.scope.region, "us-east-1");
  assert.equal(claim?.scope.scopeDate, "20150830");
  assert.equal(claim?.presigned, false);
  assert.equal(claim?.sessionToken, sessionToken);
  const presigned = readClaim(received(golden("presigned-session")));
  assert.equal(presigned?.presigned, true);
  assert.equal(presigned?.expiresSeconds, 604_800);
  assert.equal(presigned?.sessionToken, sessionToken);
});

// Goal: signing keys stay bounded and are wiped. Method: a cache of two, three scopes; the twin
// shows that a wrong signature leaves nothing behind.
test("signing keys leave the cache wiped", () => {
  const keys = new SigningKeyCache(2);
  const request = golden("sqs-json");
  assert.equal(outcome(request, keys, Buffer.from("wrong")), false);
  assert.equal(keys.size, 0, "a wrong signature caches nothing");
  assert.equal(outcome(request, keys), true);
  const claim = readClaim(received(request));
  assert.ok(claim);
  const key = keys.find(claim.scope, secret);
  assert.ok(key);
  key.hex("text");
  assert.equal(outcome(golden("sns-form"), keys), true);
  assert.equal(outcome(golden("kms-json-session"), keys), true);
  assert.equal(keys.size, 2);
  assert.throws(() => key.hex("text"), /wiped/, "wiped when pushed out");
  const other = readClaim(received(golden("sns-form")));
  assert.ok(other);
  const kept = keys.find(other.scope, secret);
  assert.equal(keys.find(other.scope, Buffer.from("rotated")), undefined, "bound to its secret");
  assert.ok(kept);
  assert.throws(() => kept.hex("text"), /wiped/);
});
