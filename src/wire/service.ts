import type { Refusal } from "../kernel/errors.ts";
import { compileCheck } from "./check.ts";
import { compileErrors } from "./errors.ts";
import { formOf, parameterOf } from "./form.ts";
import { identify, protocolOf, targets } from "./identify.ts";
import { compileJsonReader, compileJsonWriter, parseJsonBody } from "./json.ts";
import type { Model } from "./model.ts";
import { loadModel, serviceNames } from "./models.ts";
import { compileQueryReader } from "./query.ts";
import { compileQueryJsonWriter } from "./query-json.ts";
import type { Protocol, WireReply, WireRequest } from "./request.ts";
import { queuePathOf } from "./request.ts";
import type { WireRules } from "./rules.ts";
import { rulesFor } from "./rules.ts";
import type { OperationSchema } from "./schema.ts";
import { schemasOf } from "./schema.ts";
import { compileXmlWriter, element, escapeXml } from "./xml.ts";

export { loadModel, serviceNames } from "./models.ts";
export type { Protocol, WireReply, WireRequest } from "./request.ts";

/**
 * One service's wire: bytes to typed values and back. Members of inputs and outputs have the SDK's
 * names; blobs are Buffers, times are epoch milliseconds, absent members are absent; maps with keys
 * of users have no prototype.
 */
export interface WireService {
  readonly name: string;
  readonly operationNames: readonly string[];
  /** Never throws, so that errors of broken requests have the right form. */
  protocolOf(request: WireRequest): Protocol;
  /**
   * Throws Refusal `InvalidAction`, `MissingAction`, `UnknownOperationException`,
   * `MalformedInput`.
   */
  identify(request: WireRequest): { operation: string; protocol: Protocol };
  /**
   * Reads and checks an input. Throws Refusal: `SerializationException`, `MalformedInput` (not
   * readable), `ValidationException`, `ValidationError` (constraints), `MissingParameter` (SQS).
   */
  decode(operation: string, protocol: Protocol, request: WireRequest): object;
  encode(operation: string, protocol: Protocol, output: object, requestId: string): WireReply;
  /** `refusal.code` is a shape's name or a bare code; `refusal.status` wins over the model's. */
  encodeError(protocol: Protocol, refusal: Refusal, requestId: string): WireReply;
}

/** The services by name; codecs are compiled when an operation is first used. */
export function loadWireServices(
  names: readonly string[] = serviceNames,
): ReadonlyMap<string, WireService> {
  return new Map(names.map((name) => [name, compileService(loadModel(name))]));
}

interface Codec {
  readonly decode: Readonly<Record<Protocol, (request: WireRequest) => object>>;
  readonly encode: Readonly<Record<Protocol, (output: object, requestId: string) => WireReply>>;
}

function compileService(model: Model): WireService {
  const rules = rulesFor(model.name);
  const schemaOf = schemasOf(model);
  const codecs = new Map<string, Codec>();
  const codecOf = (operation: string): Codec => {
    const known = codecs.get(operation);
    if (known !== undefined) return known;
    const codec = compileOperation(model, rules, schemaOf(operation));
    codecs.set(operation, codec);
    return codec;
  };
  return {
    name: model.name,
    operationNames: Object.keys(model.operations),
    protocolOf: (request) => protocolOf(model, request),
    identify: (request) => identify(model, request),
    decode: (operation, protocol, request) => codecOf(operation).decode[protocol](request),
    encode: (operation, protocol, output, requestId) =>
      codecOf(operation).encode[protocol](output, requestId),
    encodeError: compileErrors(model),
  };
}

function compileOperation(model: Model, rules: WireRules, operation: OperationSchema): Codec {
  const check =
    rules.compileCheck?.(operation.input) ?? compileCheck(operation.input, rules.faults);
  const readJson = compileJsonReader(operation.input);
  const readQuery = compileQueryReader(operation.input);
  const checked = (input: object): object => {
    check(input);
    return input;
  };
  const decodeQuery = (request: WireRequest): object => {
    const input = readQuery(formOf(request));
    rules.completeQuery?.(input, operation.input, request);
    return checked(input);
  };
  return {
    decode: {
      json: (request) => checked(readJson(parseJsonBody(request.body))),
      query: decodeQuery,
      "query-json": decodeQuery,
    },
    encode: {
      json: jsonAnswer(model, rules, operation),
      query: queryAnswer(model, operation),
      "query-json": queryJsonAnswer(rules, operation),
    },
  };
}

function jsonAnswer(model: Model, rules: WireRules, operation: OperationSchema) {
  const write =
    operation.output === undefined
      ? () => rules.emptyAnswer
      : compileJsonWriter(operation.output, rules.omitsEmpty);
  const contentType = `application/x-amz-json-${model.json?.version ?? "1.0"}`;
  return (output: object, requestId: string): WireReply => ({
    status: 200,
    headers: { "x-amzn-RequestId": requestId, "content-type": contentType },
    body: write(output),
  });
}

function queryAnswer(model: Model, operation: OperationSchema) {
  const { name } = operation;
  const writeResult = operation.output && compileXmlWriter(operation.output);
  const start = `<${name}Response xmlns="${model.query?.namespace ?? ""}">`;
  return (output: object, requestId: string): WireReply => {
    const result = writeResult ? element(`${name}Result`, writeResult(output)) : "";
    const metadata = element("ResponseMetadata", element("RequestId", escapeXml(requestId)));
    return {
      status: 200,
      headers: { "x-amzn-RequestId": requestId, "content-type": "text/xml" },
      body: `${start}${result}${metadata}</${name}Response>`,
    };
  };
}

function queryJsonAnswer(rules: WireRules, { name, output: schema }: OperationSchema) {
  const { queryJsonNames: names, omitsEmpty } = rules;
  const write = schema && compileQueryJsonWriter(schema, { names, omitsEmpty });
  return (output: object, requestId: string): WireReply => {
    const result = write && { [`${name}Result`]: write(output) };
    const answer = { ...result, ResponseMetadata: { RequestId: requestId } };
    return {
      status: 200,
      headers: { "x-amzn-RequestId": requestId, "content-type": "application/json" },
      body: JSON.stringify({ [`${name}Response`]: answer }),
    };
  };
}

/**
 * Which service an unsigned request means: by X-Amz-Target, by a queue's path, by Version, or by an
 * Action that only one service has. Undefined: cannot be told.
 */
export function serviceOfUnsigned(request: WireRequest): string | undefined {
  const all = serviceNames.map(loadModel);
  const target = request.headers.get("x-amz-target");
  if (target !== undefined) return all.find((model) => targets(model, target))?.name;
  if (queuePathOf(request) !== undefined) return "sqs";
  try {
    return serviceOfForm(all, request);
  } catch {
    // Bytes that are no form name no service.
    return undefined;
  }
}

function serviceOfForm(all: readonly Model[], request: WireRequest): string | undefined {
  const form = formOf(request);
  const action = parameterOf(form, "Action");
  if (action === undefined) return undefined;
  const version = parameterOf(form, "Version");
  const speaking = all.filter((model) => model.query !== undefined);
  if (version !== undefined) return speaking.find((model) => model.version === version)?.name;
  const owners = speaking.filter((model) => Object.hasOwn(model.operations, action));
  return owners.length === 1 ? owners[0]?.name : undefined;
}
