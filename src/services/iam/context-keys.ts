import { parsePolicy } from "../../auth/policy/index.ts";

/** Condition keys and policy variables that a document speaks of, as written. */
export function contextKeys(text: string): readonly string[] {
  const { statements, version } = parsePolicy(text, "identity");
  const names = new Map<string, string>();
  const add = (name: string) => {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  };
  for (const { conditions, resource } of statements) {
    for (const { key, values } of conditions) {
      add(key);
      if (version === "2012-10-17") for (const value of values) variablesIn(value).forEach(add);
    }
    if (version !== "2012-10-17") continue;
    for (const value of resource?.values ?? []) variablesIn(value).forEach(add);
  }
  return [...names.values()];
}

const variable = /\$\{([^{}]*)\}/g;

function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(variable)]
    .map(([, inner = ""]) => inner.split(",", 1)[0]?.trim() ?? "")
    .filter((name) => name.includes(":"));
}
