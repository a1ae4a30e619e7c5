import type { EvaluationResult, SimulatePolicyResponse } from "@aws-sdk/client-iam";
import type { Wire } from "../../kernel/wire-types.ts";
import { type PagedInput, pageOfAll } from "./paging.ts";

/** Results in their own order, page by page. */
export function simulationPage(
  operation: string,
  input: PagedInput,
  results: readonly Wire<EvaluationResult>[],
): Wire<SimulatePolicyResponse> {
  const numbered = results.map((result, index) => ({ result, id: String(index).padStart(9, "0") }));
  const page = pageOfAll(operation, input, numbered, ({ id }) => id);
  return { EvaluationResults: page.entries.map(({ result }) => result), ...page.output };
}
