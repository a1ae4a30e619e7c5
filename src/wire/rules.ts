import type { FaultStyle } from "./check.ts";
import { compileParameterCheck } from "./parameters.ts";
import type { WireRequest } from "./request.ts";
import { queuePathOf } from "./request.ts";
import type { StructureSchema } from "./schema.ts";

/** What the wire of one service does that no model says. */
export interface WireRules {
  /** Wording of constraint faults. */
  readonly faults: FaultStyle;
  /** Replaces the constraint check. */
  readonly compileCheck?: (input: StructureSchema) => (input: object) => void;
  /** Completes an input of the query protocol from the rest of the request. */
  readonly completeQuery?: (
    input: Record<string, unknown>,
    schema: StructureSchema,
    request: WireRequest,
  ) => void;
  /** JSON body of an answer without members. AWS: SQS says `{}`, KMS nothing. */
  readonly emptyAnswer: "" | "{}";
  /** JSON answers leave out empty lists and maps. AWS: SQS does. */
  readonly omitsEmpty: boolean;
  /** Members that have another name where the query protocol is answered in JSON. */
  readonly queryJsonNames: ReadonlyMap<string, string>;
}

const jsonFaults: FaultStyle = {
  code: "ValidationException",
  showsValues: true,
  listsEnums: true,
};
const queryFaults: FaultStyle = { ...jsonFaults, code: "ValidationError" };
const plain = { emptyAnswer: "", omitsEmpty: false, queryJsonNames: new Map() } as const;

export function rulesFor(service: string): WireRules {
  switch (service) {
    case "sqs":
      return {
        faults: jsonFaults,
        compileCheck: compileParameterCheck,
        completeQuery: completeQueueQuery,
        emptyAnswer: "{}",
        omitsEmpty: true,
        // AWS: sqs.md 2.2.
        queryJsonNames: new Map([
          ["Messages", "messages"],
          ["QueueUrls", "queueUrls"],
        ]),
      };
    case "iam":
      // AWS: iam.md 7, constraint errors name neither the value nor the enum's.
      return { ...plain, faults: { ...queryFaults, showsValues: false, listsEnums: false } };
    case "sns":
    case "sts":
      return { ...plain, faults: queryFaults };
    default:
      return { ...plain, faults: jsonFaults };
  }
}

/**
 * SQS in the query protocol: the queue may be named by the path (a QueueUrl parameter wins), an
 * empty batch has no parameter at all, and of two synonyms AttributeNames wins (in JSON the other
 * one does, which the operation decides). AWS: sqs.md 2.2 and 7.
 */
function completeQueueQuery(
  input: Record<string, unknown>,
  schema: StructureSchema,
  request: WireRequest,
): void {
  const has = (name: string) => schema.members.some((member) => member.name === name);
  const path = queuePathOf(request);
  if (path !== undefined && input.QueueUrl === undefined && has("QueueUrl")) {
    input.QueueUrl = `https://${request.headers.get("host") ?? "localhost"}/${path}`;
  }
  if (has("Entries")) input.Entries ??= [];
  if (input.AttributeNames !== undefined) delete input.MessageSystemAttributeNames;
}
