import { types } from "node:util";
import { type Level, pino } from "pino";
import type { Log, LogFacts } from "../kernel/log.ts";

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "pretty" | "json";
  /** Takes one line with its end. */
  readonly write: (line: string) => void;
}

/**
 * The server's log: one JSON object or one readable line per entry. Control characters are taken
 * out of every text: a user's text must not move the reader's cursor or forge a line. Bytes are
 * never printed, only their number.
 */
export function createLogger(options: LoggerOptions): Log {
  const write = options.format === "json" ? options.write : prettyWriter(options.write);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    { write },
  );
  const note = (level: Level) => (message: string, facts?: LogFacts) => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level](cleanFacts(facts ?? {}), stripControls(message));
  };
  return { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
}

/** Takes out C0 and C1 controls, line separators and what turns the direction of text. */
export function stripControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, " ");
}

const depthMax = 5;
const textLengthMax = 4_000;

function cleanFacts(facts: LogFacts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [stripControls(name), cleanValue(value, 1)]),
  );
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return stripControls(value.slice(0, textLengthMax));
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return cleanError(value, depth);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    return `<${value.byteLength} bytes>`;
  }
  if (depth >= depthMax) return "…";
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => cleanValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      stripControls(name),
      cleanValue(member, depth + 1),
    ]),
  );
}

function cleanError(error: Error, depth: number): unknown {
  const { name, message, stack, cause } = error;
  const frames = stack?.split("\n").filter((line) => line.startsWith("    at "));
  return {
    name: stripControls(name),
    message: stripControls(message.slice(0, textLengthMax)),
    ...("code" in error && typeof error.code === "string" && { code: stripControls(error.code) }),
    ...(frames?.length && { stack: frames.map((line) => stripControls(line).trim()) }),
    ...(cause !== undefined && depth < depthMax && { cause: cleanValue(cause, depth + 1) }),
  };
}

/** Turns pino's JSON lines into `12:00:00 WARN  message  name=value`. */
function prettyWriter(write: (line: string) => void): (line: string) => void {
  return (line) => {
    const { level, time, message, ...facts } = JSON.parse(line) as Record<string, unknown>;
    const pairs = Object.entries(facts).map(([name, value]) => `  ${name}=${printed(value)}`);
    const label = String(level).toUpperCase().padEnd(5);
    write(`${String(time).slice(11, 19)} ${label} ${message}${pairs.join("")}\n`);
  };
}

function printed(value: unknown): string {
  const plain = typeof value === "string" && /^[\w.:/@*-]+$/.test(value);
  return plain ? value : JSON.stringify(value);
}
