import { Refusal } from "../kernel/errors.ts";
import { formOf, parameterOf } from "./form.ts";
import type { Model } from "./model.ts";
import type { Protocol, WireRequest } from "./request.ts";
import { queuePathOf } from "./request.ts";

/** The protocol that a request speaks, also a broken one, so that its error has the right form. */
export function protocolOf(model: Model, request: WireRequest): Protocol {
  if (model.query === undefined) return "json";
  if (model.json !== undefined && speaksJson(request)) return "json";
  return acceptsJson(request) ? "query-json" : "query";
}

function speaksJson({ headers }: WireRequest): boolean {
  return (
    headers.get("x-amz-target") !== undefined ||
    headers.get("content-type")?.startsWith("application/x-amz-json") === true
  );
}

const answerTypes: ReadonlySet<string> = new Set([
  "application/json",
  "application/xml",
  "text/xml",
]);

/** AWS: `Accept: application/json`. AWS?: of several types the first counts that can be had. */
function acceptsJson({ headers }: WireRequest): boolean {
  const accept = headers.get("accept");
  if (!accept?.includes("application/json")) return false;
  const types = accept.split(",").map((range) => range.split(";", 1)[0]?.trim() ?? "");
  return types.find((type) => answerTypes.has(type)) === "application/json";
}

/** Names the operation. Throws Refusal for one that the model does not have. */
export function identify(
  model: Model,
  request: WireRequest,
): { operation: string; protocol: Protocol } {
  const protocol = protocolOf(model, request);
  const operation =
    protocol === "json" ? operationOfTarget(model, request) : operationOfAction(model, request);
  return { operation, protocol };
}

/** AWS?: text; the code is known. */
function operationOfTarget(model: Model, request: WireRequest): string {
  const target = request.headers.get("x-amz-target") ?? "";
  const operation = operationIn(model, target);
  if (request.method !== "POST" || operation === undefined) {
    throw new Refusal("UnknownOperationException", `Unknown operation '${target}'.`);
  }
  return operation;
}

/** The operation that `Prefix.Operation` of X-Amz-Target names. */
function operationIn(model: Model, target: string): string | undefined {
  let known = operationsByTarget.get(model);
  if (known === undefined) {
    const names = Object.keys(model.operations);
    const prefixes = model.json?.targets ?? [];
    known = new Map(
      prefixes.flatMap((prefix) => names.map((name) => [`${prefix}.${name}`, name] as const)),
    );
    operationsByTarget.set(model, known);
  }
  return known.get(target);
}

const operationsByTarget = new WeakMap<Model, ReadonlyMap<string, string>>();

/** True if the prefix of X-Amz-Target is the service's. */
export function targets(model: Model, target: string): boolean {
  return model.json?.targets.includes(target.slice(0, target.lastIndexOf("."))) ?? false;
}

function operationOfAction(model: Model, request: WireRequest): string {
  const form = formOf(request);
  const action = parameterOf(form, "Action");
  if (action === undefined) {
    // AWS: a GET without Action is 404. AWS?: code and text for a POST.
    if (request.method === "GET")
      throw new Refusal("UnknownOperationException", "", { status: 404 });
    throw new Refusal("MissingAction", "The request must contain the parameter Action.");
  }
  const version = parameterOf(form, "Version");
  const known = Object.hasOwn(model.operations, action);
  if (model.name === "sqs") {
    if (!known || (queuePathOf(request) !== undefined && !worksOnQueuePath(model, action))) {
      throw new Refusal("InvalidAction", `The action ${action} is not valid for this endpoint.`);
    }
  }
  // AWS: links in mails carry no version.
  if (!known || (version !== undefined && version !== model.version)) {
    const text = `Could not find operation ${action} for version ${version ?? model.version}`;
    throw new Refusal("InvalidAction", text);
  }
  return action;
}

/** AWS: actions that name a queue, and GetQueueUrl. AWS?: move tasks. */
function worksOnQueuePath(model: Model, action: string): boolean {
  if (action === "GetQueueUrl") return true;
  const input = model.operations[action]?.input;
  const shape = input === undefined ? undefined : model.shapes[input];
  return shape?.type === "structure" && Object.hasOwn(shape.members, "QueueUrl");
}
