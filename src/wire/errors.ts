import type { Refusal } from "../kernel/errors.ts";
import type { Model } from "./model.ts";
import type { Protocol, WireReply } from "./request.ts";
import { element, escapeXml } from "./xml.ts";

/** How one error looks in each protocol. */
interface ErrorForm {
  /** `__type` of the JSON protocol. */
  readonly shape: string;
  /** `<Code>` of the query protocol, and of the header x-amzn-query-error. */
  readonly code: string;
  readonly jsonStatus: number;
  readonly queryStatus: number;
  readonly messageMember: string;
}

/**
 * Errors of the front end, which no model names: query code, JSON shape, status in query and JSON.
 * AWS: iam.md 9, kms.md 1, sqs.md 2.3.
 */
const commonErrors: readonly (readonly [string, string, number, number])[] = [
  ["AccessDenied", "AccessDeniedException", 403, 400],
  ["ExpiredToken", "ExpiredTokenException", 403, 400],
  ["IncompleteSignature", "IncompleteSignatureException", 400, 400],
  ["InternalFailure", "InternalFailure", 500, 500],
  ["InvalidAction", "UnknownOperationException", 400, 400],
  ["InvalidClientTokenId", "UnrecognizedClientException", 403, 400],
  ["InvalidParameterCombination", "InvalidParameterCombinationException", 400, 400],
  ["InvalidParameterValue", "InvalidParameterValueException", 400, 400],
  ["MalformedInput", "SerializationException", 400, 400],
  ["MissingAction", "MissingActionException", 400, 400],
  ["MissingAuthenticationToken", "MissingAuthenticationTokenException", 403, 400],
  ["MissingParameter", "MissingRequiredParameterException", 400, 400],
  ["NotAuthorized", "NotAuthorizedException", 400, 400],
  ["NotImplemented", "NotImplemented", 501, 501],
  ["RequestExpired", "RequestExpiredException", 400, 400],
  ["RequestEntityTooLarge", "RequestEntityTooLargeException", 413, 413],
  ["ServiceUnavailable", "ServiceUnavailableException", 503, 503],
  ["SignatureDoesNotMatch", "InvalidSignatureException", 403, 400],
  ["Throttling", "ThrottlingException", 400, 400],
  ["ValidationError", "ValidationException", 400, 400],
];

/** Texts that the query protocol words otherwise. AWS: sqs.md 2.2. */
const queryTexts: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  sqs: new Map([
    [
      "The specified queue does not exist.",
      "The specified queue does not exist for this wsdl version.",
    ],
  ]),
};

export type ErrorEncoder = (protocol: Protocol, refusal: Refusal, requestId: string) => WireReply;

/** Compiles the error writer of a service. */
export function compileErrors(model: Model): ErrorEncoder {
  const forms = errorForms(model);
  return (protocol, refusal, requestId) => {
    const form = forms.get(refusal.code) ?? unknownForm(refusal.code);
    if (protocol === "json") return encodeJson(model, form, refusal, requestId);
    return encodeQuery(model, form, refusal, requestId, protocol);
  };
}

/** Forms by shape name, by query code and by the shape's name without `Exception`. */
function errorForms(model: Model): ReadonlyMap<string, ErrorForm> {
  const forms = new Map<string, ErrorForm>();
  const add = (name: string, form: ErrorForm): void => {
    if (!forms.has(name)) forms.set(name, form);
  };
  const modelled = Object.entries(model.errors).map(([shape, error]) => ({
    shape,
    code: error.code ?? shape,
    jsonStatus: error.status,
    queryStatus: error.status,
    messageMember: error.messageMember ?? "message",
  }));
  const common = commonErrors.map(([code, shape, queryStatus, jsonStatus]) => ({
    shape,
    code,
    jsonStatus,
    queryStatus,
    messageMember: "message",
  }));
  // A shape's own name always wins, then codes; a service's model always wins over the front end.
  for (const form of modelled) add(form.shape, form);
  for (const form of modelled) add(form.code, form);
  for (const form of common) add(form.code, form);
  for (const form of common) add(form.shape, form);
  for (const form of modelled) add(form.shape.replace(/Exception$/, ""), form);
  return forms;
}

function unknownForm(code: string): ErrorForm {
  return { shape: code, code, jsonStatus: 400, queryStatus: 400, messageMember: "message" };
}

function faultOf(status: number): "Sender" | "Receiver" {
  return status >= 500 ? "Receiver" : "Sender";
}

function encodeJson(model: Model, form: ErrorForm, refusal: Refusal, requestId: string): WireReply {
  const status = refusal.status ?? form.jsonStatus;
  const isSqs = model.name === "sqs";
  const headers: Record<string, string> = {
    "x-amzn-RequestId": requestId,
    "content-type": `application/x-amz-json-${model.json?.version ?? "1.0"}`,
  };
  // AWS: SQS clients that match on the codes of the query protocol find them here.
  if (isSqs) headers["x-amzn-query-error"] = `${form.code};${faultOf(status)}`;
  const type = isSqs ? `com.amazonaws.sqs#${form.shape}` : form.shape;
  const body = {
    __type: type,
    ...(refusal.message !== "" && { [form.messageMember]: refusal.message }),
  };
  return { status, headers, body: JSON.stringify(body) };
}

function encodeQuery(
  model: Model,
  form: ErrorForm,
  refusal: Refusal,
  requestId: string,
  protocol: Protocol,
): WireReply {
  const status = refusal.status ?? form.queryStatus;
  const headers = { "x-amzn-RequestId": requestId, "content-type": "text/xml" };
  // AWS: a request that names no action gets this and nothing else.
  if (status === 404 && form.shape === "UnknownOperationException") {
    return { status, headers, body: "<UnknownOperationException/>\n" };
  }
  const message = queryTexts[model.name]?.get(refusal.message) ?? refusal.message;
  if (protocol === "query-json") {
    const error = { Code: form.code, Message: message, Type: faultOf(status) };
    const body = JSON.stringify({ Error: error, RequestId: requestId });
    return { status, headers: { ...headers, "content-type": "application/json" }, body };
  }
  const error =
    element("Type", faultOf(status)) +
    element("Code", escapeXml(form.code)) +
    element("Message", escapeXml(message)) +
    (model.name === "sqs" ? "<Detail/>" : "");
  const namespace = model.query?.namespace ?? "";
  const body =
    `<ErrorResponse xmlns="${namespace}">${element("Error", error)}` +
    `${element("RequestId", escapeXml(requestId))}</ErrorResponse>`;
  return { status, headers, body };
}
