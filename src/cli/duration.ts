import { InvalidArgumentError } from "commander";

const unitSeconds: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
  y: 365 * 86_400,
};

/**
 * Seconds of `300`, `300s`, `5m`, `2h`, `90d`, `1w` or `10y` (365 days). Throws
 * InvalidArgumentError.
 */
export function parseDurationSeconds(text: string): number {
  const [, number = "", unit = "s"] = /^(\d{1,12})([smhdwy]?)$/.exec(text) ?? [];
  if (number === "") throw new InvalidArgumentError("Write 300s, 5m, 2h, 90d or 1y.");
  return Number(number) * (unitSeconds[unit || "s"] ?? 1);
}
