import type { LoadTarget, Target } from "./measure.ts";
import type { Encryption } from "./setup.ts";

/** One row of the table: what is measured, and what a reader must know about it. */
export interface Case<T extends Target = Target> {
  readonly target: T;
  readonly subject: "floor" | "sealpost" | "fauxqs" | "moto";
  readonly operation: string;
  readonly scheme?: "http" | "https";
  readonly encryption?: Encryption;
  readonly connections?: number;
  readonly bodyBytes?: number;
  /** Name of the target that it is divided by; without: none. */
  readonly floor?: string;
  /** Part of the short form. */
  readonly short: boolean;
  /** Where each message lies afterwards: counted, so that a success without message is seen. */
  readonly lands?: { readonly queueUrls: readonly string[] };
}

export type LoadCase = Case<LoadTarget>;

export const kib = 1024;

export function sizeName(bytes: number): string {
  if (bytes < kib) return `${bytes} B`;
  return bytes < kib * kib ? `${bytes / kib} KiB` : `${bytes / kib / kib} MiB`;
}

/**
 * Of `LoadTarget.longer`: large requests of all connections are read together and answered together,
 * so that on a busy machine a short slice could end before the first are.
 */
export function longerFor(bodyBytes: number): number {
  return bodyBytes < kib * kib ? 1 : 3;
}

/** What follows the name of an operation: only what is not the usual. */
export function variantName(connections: number, bodyBytes: number): string {
  const parts: string[] = [];
  if (connections !== 64) parts.push(connections === 1 ? "1 conn." : `${connections} conns.`);
  if (bodyBytes !== kib) parts.push(sizeName(bodyBytes));
  return parts.map((part) => `, ${part}`).join("");
}

/**
 * The cases that a run measures: of the short form or all, those whose name holds the text (of any
 * letter case), and the floors that these are divided by.
 */
export function choose(
  cases: readonly Case[],
  { short, only }: { readonly short: boolean; readonly only: string | undefined },
): Case[] {
  const wanted = (text: string) => text.toLowerCase().includes((only ?? "").toLowerCase());
  const chosen = cases.filter((it) =>
    only === undefined ? !short || it.short : wanted(it.target.name) && (!short || it.short),
  );
  const floors = new Set(chosen.map(({ floor }) => floor));
  return cases.filter((it) => chosen.includes(it) || floors.has(it.target.name));
}
