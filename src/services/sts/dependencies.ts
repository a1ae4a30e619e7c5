import type { RecordView } from "../../kernel/records.ts";

/** What STS needs from the rest of the house. */
export interface StsDependencies {
  /** undefined: no such access key in this installation. Implemented by IAM. */
  accountOfAccessKey(view: RecordView, accessKeyId: string): Promise<string | undefined>;
}
