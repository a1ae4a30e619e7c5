/**
 * An HTTP request as the gateway hands it over: whole, and with its signature checked or absent.
 */
export interface WireRequest {
  readonly method: string;
  /** Path as sent, without the query string. */
  readonly path: string;
  /** Query string as sent, without `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface WireReply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | string;
}

/**
 * SQS speaks json and query; KMS and CloudTrail json; SNS, IAM and STS query. `query-json` is asked
 * as query, and answered in JSON.
 */
export type Protocol = "json" | "query" | "query-json";

/**
 * `account/name` of a queue, if that is what the path names: `/123456789012/orders`. DIFFERS: also
 * `/queue/us-east-1/123456789012/orders`, a form that emulators hand out.
 */
export function queuePathOf(request: WireRequest): string | undefined {
  const match = /^(?:\/queue\/[a-z0-9-]{1,64})?\/(\d{12}\/[A-Za-z0-9_.-]{1,80})\/?$/.exec(
    request.path,
  );
  return match?.[1];
}
