import type { Explanation } from "../doctor/explain.ts";
import type { Hop, Missing } from "../doctor/hop.ts";
import type { Path as PathAnswer } from "../doctor/path.ts";
import type { SourcesAnswer } from "../doctor/sources.ts";
import type { UnopenableMessages } from "../doctor/unopenable.ts";
import { count, page, wrapped } from "./page.ts";
import type { Paint } from "./paint.ts";

export {
  type RevokeAnswer,
  revokeText,
  type WhoAnswer,
  type WhoAtPlaceAnswer,
  whoText,
} from "./doctor-who-text.ts";

export interface UnopenableAnswer {
  readonly unopenable: readonly UnopenableMessages[];
}

export type { PathAnswer, SourcesAnswer };

export interface ExplainAnswer {
  readonly denials: readonly Explanation[];
}

export interface UndeliveredAnswer {
  readonly notifications: readonly {
    readonly topicArn: string;
    readonly subscriptionArn: string;
    readonly messageId: string;
    readonly publishedAt: string;
    readonly attempts: number;
    readonly nextAttemptAt: string | null;
    readonly failureCode: string;
    readonly failureText: string;
    readonly reasons: readonly string[];
    readonly missing?: Missing;
    readonly alsoMissing?: readonly Missing[];
  }[];
}

export function pathText({ allowed, hops }: PathAnswer, paint: Paint): string {
  const columns = widths(hops);
  const lines = hops.flatMap((hop) => hopLines(hop, columns, paint));
  const denied = hops.filter((hop) => !hop.allowed).length;
  const summary = allowed
    ? paint.good(`allowed: ${count(hops.length, "hop")}`)
    : paint.bad(`denied: ${denied} of ${count(hops.length, "hop")}`);
  return page([...lines, "", summary]);
}

interface Columns {
  readonly from: number;
  readonly to: number;
}

function widths(hops: readonly Hop[]): Columns {
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  return {
    from: widest(hops.map(({ from }) => shortName(from))),
    to: widest(hops.map(({ to }) => shortName(to))),
  };
}

function hopLines(hop: Hop, columns: Columns, paint: Paint): readonly string[] {
  const from = shortName(hop.from).padEnd(columns.from);
  const to = shortName(hop.to).padEnd(columns.to);
  const mark = hop.allowed ? paint.good("✔") : paint.bad("✖");
  const reason = hop.allowed ? paint.faint(hop.reason) : hop.reason;
  return [
    `${mark} ${from} → ${to}  ${paint.strong(hop.action)}`,
    ...wrapped(reason, "    "),
    ...(hop.missing ? missingLines([hop.missing], paint) : []),
  ];
}

export function sourcesText(answer: SourcesAnswer, paint: Paint): string {
  const width = Math.max(...answer.sources.map(({ source }) => source.length));
  const lines = answer.sources.flatMap(({ source, principal, needs, allowed, reason, missing }) => [
    `${allowed ? paint.good("✔") : paint.bad("✖")} ${paint.strong(source.padEnd(width))}  ` +
      `${needs === "role" ? "with a role" : principal}`,
    ...wrapped(allowed ? paint.faint(reason) : reason, "    "),
    ...missingLines(missing, paint),
  ]);
  const may = answer.sources.filter(({ allowed }) => allowed).length;
  const key = answer.key === null ? "without a key of KMS" : `with ${answer.key}`;
  return page([
    ...lines,
    "",
    `${may} of ${count(answer.sources.length, "event source")} could publish to ${answer.topic} ` +
      key,
  ]);
}

export function explainText({ denials }: ExplainAnswer, paint: Paint): string {
  if (denials.length === 0) return "nothing was denied since the server's start\n";
  return page(denials.flatMap((one, index) => [...(index > 0 ? [""] : []), ...denial(one, paint)]));
}

function denial(one: Explanation, paint: Paint): readonly string[] {
  const facts: readonly [string, string][] = [
    ["request", `${one.requestId} (${one.operation}, ${one.region})`],
    ["caller", one.caller],
    ["action", one.action],
    ["resource", one.resource],
    ["answer", `${one.code}: ${one.message}`],
  ];
  return [
    `${paint.bad("✖")} ${paint.strong(one.at)}`,
    ...facts.map(([name, value]) => `    ${name.padEnd(9)} ${value}`),
    ...wrapped(one.reason, "    "),
    ...one.conditions.map(
      ({ operator, key, wanted, value, holds }) =>
        `      ${holds ? "✔" : "✖"} ${operator} ${key} ${JSON.stringify(wanted)}  ` +
        `the request: ${value === null ? "absent" : JSON.stringify(value)}`,
    ),
    ...missingLines([...(one.missing ? [one.missing] : []), ...(one.alsoMissing ?? [])], paint),
  ];
}

export function undeliveredText({ notifications }: UndeliveredAnswer, paint: Paint): string {
  if (notifications.length === 0) return "every notification was delivered\n";
  return page(
    notifications.flatMap((one) => [
      `${paint.bad("✖")} ${paint.strong(one.publishedAt)}  message ${one.messageId}`,
      ...wrapped(`${one.topicArn} → ${one.subscriptionArn}`, "    "),
      ...wrapped(`${one.failureCode}: ${one.failureText}`, "    "),
      `    ${count(one.attempts, "attempt")}; ` +
        (one.nextAttemptAt === null ? "given up" : `next one at ${one.nextAttemptAt}`),
      ...one.reasons.flatMap((reason) => wrapped(reason, "    ")),
      ...missingLines(one.missing ? [one.missing, ...(one.alsoMissing ?? [])] : [], paint),
      ...(one.nextAttemptAt === null
        ? [`    mended? sealpost redeliver --message ${one.messageId}`]
        : []),
    ]),
  );
}

export function unopenableText({ unopenable }: UnopenableAnswer, paint: Paint): string {
  if (unopenable.length === 0)
    return "every message in a queue lies under a key that can be used\n";
  return page(
    unopenable.flatMap((one) => [
      `${paint.bad("✖")} ${paint.strong(one.queueArn)}  ${count(one.messages, "message")}`,
      `    the oldest was sent at ${one.oldestSentAt}`,
      ...wrapped(
        one.forEver
          ? `${one.reason}: they open for nobody, ever, and leave by retention, to a dead-letter ` +
              "queue after enough receives, or when the queue is purged"
          : one.reason,
        "    ",
      ),
    ]),
  );
}

/** Ready to be copied: a statement is never wrapped, shortened or coloured. */
function missingLines(missing: readonly Missing[], paint: Paint): readonly string[] {
  return missing.flatMap(({ attachTo, statement }) => [
    `    ${paint.strong(`add to the ${attachTo}:`)}`,
    ...JSON.stringify(statement, null, 2)
      .split("\n")
      .map((line) => `      ${line}`),
  ]);
}

/** What tells a resource from others of its kind, for columns; reasons have the whole ARN. */
function shortName(arn: string): string {
  const [prefix, , service = "", , , ...rest] = arn.split(":");
  if (prefix !== "arn") return arn;
  return service === "iam" || service === "sts" ? rest.join(":") : `${service}:${rest.join(":")}`;
}
