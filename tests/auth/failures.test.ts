import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthFailureKind } from "../../src/auth/sigv4.ts";
import {
  AuthFailure,
  authFailureRefusal,
  checkClaimService,
  checkClaimTime,
  readClaim,
  refuseSignatureV2,
} from "../../src/auth/sigv4.ts";
import type { Golden } from "./requests.ts";
import { golden, header, received, signedAtMs, withHeader } from "./requests.ts";

const request = golden("sqs-json");
const authorization = header(request, "Authorization");

function failure(run: () => unknown): AuthFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof AuthFailure) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "no failure" });
}

interface Case {
  readonly name: string;
  readonly changed: Golden;
  readonly kind: AuthFailureKind;
  readonly text: RegExp;
}

const edit = (from: string | RegExp, to: string): Golden =>
  withHeader(request, "Authorization", authorization.replace(from, to));
const presigned = golden("presigned-session");
const query = (from: string | RegExp, to: string): Golden => ({
  ...presigned,
  query: presigned.query.replace(from, to),
});

const cases: readonly Case[] = [
  {
    name: "no credential",
    changed: edit(/Credential=[^,]+, /, ""),
    kind: "incomplete",
    text: /^Authorization header requires 'Credential' parameter\. \(Hash.* Authorization=\S{44}$/,
  },
  {
    name: "nothing but the algorithm and no date",
    changed: withHeader(
      withHeader(request, "Authorization", "AWS4-HMAC-SHA256 "),
      "X-Amz-Date",
      undefined,
    ),
    kind: "incomplete",
    text: /'Credential' p.* 'Signature' p.* 'SignedHeaders' p.* 'X-Amz-Date' or a 'Date' header/,
  },
  {
    name: "a field without equal sign",
    changed: edit("Signature=", "Signature"),
    kind: "incomplete",
    text: /missing equal-sign/,
  },
  {
    name: "a field twice",
    changed: edit("SignedHeaders=", "SignedHeaders=host, SignedHeaders="),
    kind: "incomplete",
    text: /'SignedHeaders' twice/,
  },
  {
    name: "four scope elements",
    changed: edit("/aws4_request", ""),
    kind: "incomplete",
    text: /exactly 5 slash-delimited elements.*got 'AKIDEXAMPLE\/20150830\/us-east-1\/sqs'/,
  },
  {
    name: "host not signed",
    changed: edit(/host;/, ""),
    kind: "incomplete",
    text: /^'Host' or ':authority' must be a 'SignedHeader'/,
  },
  {
    name: "target not signed",
    changed: edit(/;x-amz-target/, ""),
    kind: "incomplete",
    text: /'X-Amz-Target' must be a 'SignedHeader'/,
  },
  {
    name: "another algorithm",
    changed: edit("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
    kind: "incomplete",
    text: /^Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'\.$/,
  },
  {
    name: "a bearer token",
    changed: withHeader(request, "Authorization", "Bearer abc"),
    kind: "incomplete",
    text: /Unsupported AWS 'algorithm': 'Bearer'/,
  },
  {
    name: "a signature that is no hex",
    changed: edit(/Signature=.*/, "Signature=zz"),
    kind: "bad-signature",
    text: /^The request signature we calculated does not match/,
  },
  {
    name: "a date in another form",
    changed: withHeader(request, "X-Amz-Date", "2015-08-30T12:36:00Z"),
    kind: "incomplete",
    text: /ISO-8601 'basic format'\. Got '2015-08-30T12:36:00Z'/,
  },
  {
    name: "a month 13",
    changed: withHeader(request, "X-Amz-Date", "20151330T123600Z"),
    kind: "incomplete",
    text: /ISO-8601 'basic format'/,
  },
  {
    name: "a date sent twice",
    changed: {
      ...request,
      rawHeaders: [...request.rawHeaders, "x-amz-date", "20150830T123600Z"],
    },
    kind: "incomplete",
    text: /Got '20150830T123600Z,20150830T123600Z'/,
  },
  {
    name: "the scope of another day",
    changed: edit("/20150830/", "/20150831/"),
    kind: "scope-mismatch",
    text: /'20150831' != '20150830', from '20150830T123600Z'\.$/,
  },
  {
    name: "another terminator",
    changed: edit("aws4_request", "aws5_request"),
    kind: "scope-mismatch",
    text: /valid terminator: 'aws4_request', not 'aws5_request'/,
  },
  {
    name: "a region that is no name",
    changed: edit("us-east-1", "us:east"),
    kind: "scope-mismatch",
    text: /valid region, not 'us:east'/,
  },
  {
    name: "header and query at once",
    changed: { ...request, query: presigned.query },
    kind: "incomplete",
    text: /^Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization'/,
  },
  {
    name: "presigned without credential and date",
    changed: query(/X-Amz-Credential=[^&]+&X-Amz-Date=[^&]+&/, ""),
    kind: "incomplete",
    text: /include 'X-Amz-Credential'\. .*include 'X-Amz-Date'\. Re-examine the query-string/,
  },
  {
    name: "presigned for more than seven days",
    changed: query("604800", "604801"),
    kind: "incomplete",
    text: /between 1 and 604800/,
  },
  {
    name: "presigned with a parameter twice",
    changed: query("X-Amz-Date=", "X-Amz-Date=20150830T123600Z&X-Amz-Date="),
    kind: "incomplete",
    text: /'X-Amz-Date' is given twice/,
  },
  {
    name: "SigV2 header",
    changed: withHeader(request, "Authorization", "AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="),
    kind: "sigv2",
    text: /Signature Version 2 is not supported/,
  },
  {
    name: "SigV2 query",
    changed: {
      ...presigned,
      query: "Action=ListQueues&AWSAccessKeyId=AKIDEXAMPLE&SignatureVersion=2&Signature=x",
    },
    kind: "sigv2",
    text: /Signature Version 2 is not supported/,
  },
  {
    name: "SigV4A",
    changed: edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
    kind: "sigv4a",
    text: /Signature Version 4A .* is not supported/,
  },
];

// Goal: each malformed form is told apart, before the body is read. Method: one edit of a request
// that is right (its twin: the goldens verify).
for (const { name, changed, kind, text } of cases) {
  test(`malformed: ${name}`, () => {
    const failed = failure(() => readClaim(received(changed)));
    assert.equal(failed.kind, kind);
    assert.match(failed.message, text);
  });
}

test("unsigned is no failure", () => {
  assert.equal(readClaim(received(withHeader(request, "Authorization", undefined))), undefined);
  assert.equal(readClaim({ ...received(presigned), query: "Action=ListQueues" }), undefined);
});

test("SigV2 in a form body is refused by name", () => {
  const form = new Map([["AWSAccessKeyId", "x"]]);
  refuseSignatureV2(form);
  form.set("Signature", "y");
  assert.equal(failure(() => refuseSignatureV2(form)).kind, "sigv2");
});

test("an HTTP Date stands in for x-amz-date", () => {
  const dated = withHeader(
    withHeader(request, "X-Amz-Date", undefined),
    "Date",
    "Sun, 30 Aug 2015 12:36:00 GMT",
  );
  assert.equal(readClaim(received(dated))?.timestampMs, signedAtMs);
  const other = withHeader(dated, "Date", "yesterday");
  assert.equal(failure(() => readClaim(received(other))).kind, "incomplete");
});

// Goal: 15 minutes either way, to the millisecond. Method: both edges and one step past them.
test("clock skew", () => {
  const claim = readClaim(received(request));
  assert.ok(claim);
  const skewMs = 15 * 60_000;
  checkClaimTime(claim, signedAtMs - skewMs);
  checkClaimTime(claim, signedAtMs + skewMs);
  const early = failure(() => checkClaimTime(claim, signedAtMs - skewMs - 1));
  assert.equal(early.kind, "not-yet-current");
  assert.match(early.message, /^Signature not yet current: 20150830T123600Z is still later than /);
  const late = failure(() => checkClaimTime(claim, signedAtMs + skewMs + 1000));
  assert.equal(late.kind, "expired");
  assert.equal(
    late.message,
    "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z " +
      "(20150830T125101Z - 15 min.)",
  );
});

test("a presigned request lives as long as it says", () => {
  const claim = readClaim(received(golden("presigned-get")));
  assert.ok(claim);
  checkClaimTime(claim, signedAtMs + 60_000);
  assert.equal(failure(() => checkClaimTime(claim, signedAtMs + 60_001)).kind, "expired");
  const week = readClaim(received(presigned));
  assert.ok(week);
  checkClaimTime(week, signedAtMs + 604_800_000);
});

test("a claim is for one service", () => {
  const claim = readClaim(received(request));
  assert.ok(claim);
  checkClaimService(claim, "sqs");
  assert.equal(failure(() => checkClaimService(claim, "sns")).kind, "scope-mismatch");
});

// Goal: AWS's code and status per protocol. Method: the table of the fact sheet, whole.
test("codes per protocol", () => {
  const table: readonly [AuthFailureKind, string, number, string, number][] = [
    [
      "missing-token",
      "MissingAuthenticationToken",
      403,
      "MissingAuthenticationTokenException",
      400,
    ],
    ["incomplete", "IncompleteSignature", 400, "IncompleteSignatureException", 400],
    ["unknown-key", "InvalidClientTokenId", 403, "UnrecognizedClientException", 400],
    ["bad-signature", "SignatureDoesNotMatch", 403, "InvalidSignatureException", 400],
    ["expired-token", "ExpiredToken", 403, "ExpiredTokenException", 400],
    ["expired", "SignatureDoesNotMatch", 403, "InvalidSignatureException", 400],
    ["not-yet-current", "SignatureDoesNotMatch", 403, "InvalidSignatureException", 400],
    ["scope-mismatch", "SignatureDoesNotMatch", 403, "InvalidSignatureException", 400],
    ["sigv2", "IncompleteSignature", 400, "IncompleteSignatureException", 400],
    ["sigv4a", "IncompleteSignature", 400, "IncompleteSignatureException", 400],
  ];
  for (const [kind, queryCode, queryStatus, jsonCode, jsonStatus] of table) {
    const inQuery = authFailureRefusal(new AuthFailure(kind), "query");
    assert.deepEqual([inQuery.code, inQuery.status], [queryCode, queryStatus]);
    const inJson = authFailureRefusal(new AuthFailure(kind), "json");
    assert.deepEqual([inJson.code, inJson.status], [jsonCode, jsonStatus]);
    assert.ok(inJson.message.length > 0);
  }
});
