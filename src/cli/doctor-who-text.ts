import type { Deeds } from "../doctor/did.ts";
import type { RevokeAnswer } from "../doctor/revoke.ts";
import type { KeyRight, WhoAnswer as WhoMayUse } from "../doctor/who.ts";
import type { WhoAtPlace } from "../doctor/who-place.ts";
import { count, page, wrapped } from "./page.ts";
import type { Paint } from "./paint.ts";

export type { RevokeAnswer };
export type WhoAnswer = WhoMayUse & { readonly deeds: Deeds };
export type WhoAtPlaceAnswer = WhoAtPlace & { readonly deeds: Deeds };

export function whoText(answer: WhoAnswer | WhoAtPlaceAnswer, paint: Paint): string {
  const head = "resource" in answer ? placeHead(answer) : keyHead(answer, paint);
  const rights: readonly Right[] = answer.rights;
  const principals = [...new Set(rights.map(({ principal }) => principal))];
  const lines = principals.flatMap((principal) => {
    const own = rights.filter((right) => right.principal === principal);
    return [paint.strong(principal), ...own.flatMap((right) => rightLines(right, paint))];
  });
  return page([...head, "", ...lines, "", ...deedLines(answer.deeds, paint)]);
}

function keyHead({ key, aliases, state, unusable, usedBy }: WhoAnswer, paint: Paint) {
  const names = aliases.length > 0 ? ` (${aliases.join(", ")})` : "";
  return [
    `${key}${names}: ${state}`,
    ...(unusable === null ? [] : [paint.bad(unusable)]),
    ...wrapped(`seals ${usedBy.length === 0 ? "nothing" : usedBy.join(", ")}`, ""),
  ];
}

function placeHead({ resource, key }: WhoAtPlaceAnswer): readonly string[] {
  return wrapped(
    `${resource}, ${key === null ? "without a key of KMS" : `sealed with ${key}`}`,
    "",
  );
}

type Right = Pick<KeyRight, "principal" | "action" | "reason"> &
  Partial<Pick<KeyRight, "through" | "for">>;

function rightLines(right: Right, paint: Paint): readonly string[] {
  const { action, through, reason } = right;
  const where = right.for?.length ? ` for ${right.for.join(", ")}` : "";
  const way = through === undefined || through === "direct" ? "directly" : `through ${through}`;
  const what = wrapped(`${action.padEnd(20)} ${way}${where}`, "  ");
  return [...what, ...wrapped(paint.faint(reason), "      ")];
}

function deedLines({ since, until, done, cut }: Deeds, paint: Paint): readonly string[] {
  const head = `from ${since} to ${until}: ${count(done.length, "kind")} of use`;
  const lines = done.flatMap(({ principal, action, through, allowed, denied, last }) => {
    const way = through === "direct" ? "" : ` through ${through}`;
    const refused = denied > 0 ? paint.bad(`, ${denied} denied`) : "";
    return [
      `  ${principal}`,
      `    ${paint.strong(action)}${way}: ${allowed} done${refused}, last ${last}`,
    ];
  });
  const more = cut ? ["  (there is more than was read: older uses are not counted)"] : [];
  return [head, ...lines, ...more];
}

export function revokeText(answer: RevokeAnswer, paint: Paint): string {
  const { principal, rights, grants, open, openUntil } = answer;
  const keys = [...new Set(rights.map(({ key }) => key))];
  return page([
    paint.strong(principal),
    `may use ${count(keys.length, "key")} now`,
    ...keys.flatMap((key) => [
      `  ${key}`,
      ...rights.filter((right) => right.key === key).flatMap((right) => rightLines(right, paint)),
    ]),
    ...grants.flatMap(({ key, grantId, operations }) =>
      wrapped(`grant ${grantId} on ${key}: ${operations.join(", ")} (until it is revoked)`, "  "),
    ),
    "",
    openUntil === null
      ? paint.good("nothing would stay open: no data key of it is held")
      : paint.bad(`${count(open.length, "data key")} would stay open, the last until ${openUntil}`),
    ...open.flatMap(({ use, resource, key, until }) =>
      wrapped(
        `${use === "seal" ? "sealing for" : "opening of"} ${resource} with ${key} until ${until}`,
        "  ",
      ),
    ),
  ]);
}
