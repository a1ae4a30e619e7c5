/** A release cannot be made as things are; the text says what to do. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}

/**
 * The notes of a version in CHANGELOG.md: what stands below its heading `## 1.2.3`, which may name
 * a date. Throws ReleaseError if there is no such heading, or nothing but headings below it.
 */
export function notesOf(changelog: string, version: string): string {
  const lines = changelog.split("\n");
  const start = lines.findIndex((line) => headingVersion(line) === version);
  if (start < 0) {
    throw new ReleaseError(
      `CHANGELOG.md has no heading \`## ${version}\`: write what is new first`,
    );
  }
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith("## "));
  const notes = (end < 0 ? rest : rest.slice(0, end)).join("\n").trim();
  const text = notes.replace(/^#+ .*$/gm, "").trim();
  if (text === "") throw new ReleaseError(`CHANGELOG.md says nothing about ${version}`);
  return notes;
}

function headingVersion(line: string): string | undefined {
  return /^## \[?v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)\]?(?: .*)?$/.exec(line)?.[1];
}

/** Throws ReleaseError unless it is a version. */
export function checkVersion(version: string): void {
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/.test(version)) {
    throw new ReleaseError(`\`${version}\` is no version such as 1.2.3`);
  }
}
