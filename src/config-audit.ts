/** Settings of the audit; see `config.ts` for what their members mean. */
export const auditSettings = {
  plainTrails: {
    kind: "boolean",
    description: "write files of trails that name no KMS key as plain gzip",
  },
  trailEndpoint: {
    kind: "text",
    value: "URL",
    check: checkEndpoint,
    description: "S3 endpoint of the buckets that trails name (default: files in DIR/trails)",
  },
  auditAnchor: {
    kind: "text",
    value: "FILE|URL",
    description: "write each head of the event history there, outside of the data folder",
  },
  auditRetentionDays: {
    kind: "integer",
    value: "DAYS",
    default: 90,
    min: 1,
    max: 36_500,
    description: "how long the event history keeps an event",
  },
  auditEventsMax: {
    kind: "integer",
    value: "N",
    default: 10_000_000,
    min: 1,
    max: 1_000_000_000,
    description: "events that the history of an account in a region keeps at most",
  },
  lookupQuota: {
    kind: "text",
    value: "QUOTA",
    default: "off",
    choices: ["off", "aws"],
    description: "limit LookupEvents to two calls a second, as AWS does",
  },
} as const;

function checkEndpoint(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url?.username === "" && url.search === "" && url.hash === "" && url.pathname === "/";
  if (!plain || !/^https?:$/.test(url.protocol)) {
    throw new Error("must be http://host:port or https://host:port");
  }
}
