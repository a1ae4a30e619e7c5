/** What a test server's process tells its parent, once. */
export type ServerReport =
  | { readonly kind: "ready"; readonly folder: string }
  | { readonly kind: "failed"; readonly text: string };
