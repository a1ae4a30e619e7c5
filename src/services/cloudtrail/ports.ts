import type { Query, ResultOf } from "../../kernel/command.ts";

/** What CloudTrail asks of the rest of the server: a store's answers to questions. */
export interface CloudtrailDependencies {
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
}
