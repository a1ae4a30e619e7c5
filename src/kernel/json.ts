export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [k: string]: Json };

/** Printable ASCII without what JSON escapes. */
const unescaped = /^[ !#-[\]-~]*$/;
const shortUnits = 256;

/** A text as JSON: most are short and have nothing to escape, which is quicker to see. */
export function quoted(text: string): string {
  return text.length <= shortUnits && unescaped.test(text) ? `"${text}"` : JSON.stringify(text);
}
