/** Colours of a picture of a terminal. */
interface Palette {
  readonly ground: string;
  readonly edge: string;
  readonly ink: string;
  readonly faint: string;
  readonly good: string;
  readonly bad: string;
  readonly shown: string;
}

export const palettes: Readonly<Record<"light" | "dark", Palette>> = {
  light: {
    ground: "#f6f8fa",
    edge: "#d1d9e0",
    ink: "#1f2328",
    faint: "#59636e",
    good: "#1a7f37",
    bad: "#cf222e",
    shown: "#1b7c83",
  },
  dark: {
    ground: "#0d1117",
    edge: "#3d444d",
    ink: "#e6edf3",
    faint: "#9198a1",
    good: "#3fb950",
    bad: "#f85149",
    shown: "#39c5cf",
  },
};

export const terminalColumns = 80;

const characterWidth = 7.8;
const lineHeight = 18;
const margin = 16;

interface Style {
  readonly bold: boolean;
  readonly colour: keyof Palette;
}

interface Span extends Style {
  readonly text: string;
}

/** What a terminal of 80 columns shows, as a picture. `title` is for those who do not see it. */
export function terminalPicture(output: string, title: string, palette: Palette): string {
  const lines = linesOf(output);
  const width = Math.ceil(terminalColumns * characterWidth + 2 * margin);
  const height = lines.length * lineHeight + 2 * margin;
  const texts = lines.map((spans, index) => {
    const y = margin + (index + 1) * lineHeight - 5;
    return `<text x='${margin}' y='${y}'>${spans.map((span) => spanText(span, palette)).join("")}</text>`;
  });
  return [
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${width} ${height}' role='img' aria-label='${escaped(title)}'>`,
    `<title>${escaped(title)}</title>`,
    `<rect x='1' y='1' width='${width - 2}' height='${height - 2}' rx='8' fill='${palette.ground}' stroke='${palette.edge}'/>`,
    `<g font-family='ui-monospace, SFMono-Regular, Menlo, Consolas, monospace' font-size='13' fill='${palette.ink}' style='white-space:pre' xml:space='preserve'>`,
    ...texts,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function spanText({ text, bold, colour }: Span, palette: Palette): string {
  const weight = bold ? " font-weight='700'" : "";
  const fill = colour === "ink" ? "" : ` fill='${palette[colour]}'`;
  if (weight === "" && fill === "") return escaped(text);
  return `<tspan${weight}${fill}>${escaped(text)}</tspan>`;
}

const colours: Readonly<Record<string, keyof Palette>> = {
  "2": "faint",
  "31": "bad",
  "32": "good",
  "36": "shown",
};

/** A change of style, or a character. */
const styled = new RegExp(`${"\u001b"}\\[(\\d+)m|(.)`, "gu");

/** Lines as the terminal breaks them; a style lasts until it is taken back. */
function linesOf(output: string): Span[][] {
  const plain: Style = { bold: false, colour: "ink" };
  let style = plain;
  return output
    .replaceAll("\r", "")
    .trimEnd()
    .split("\n")
    .flatMap((line) => {
      const rows: Span[][] = [[]];
      let column = 0;
      for (const [, code, character] of line.matchAll(styled)) {
        if (code !== undefined) style = styleAfter(style, code, plain);
        else if (character !== undefined) {
          if (column === terminalColumns) {
            rows.push([]);
            column = 0;
          }
          append(rows.at(-1) ?? [], { ...style, text: character });
          column += 1;
        }
      }
      return rows;
    });
}

function styleAfter(style: Style, code: string, plain: Style): Style {
  if (code === "0") return plain;
  if (code === "1") return { ...style, bold: true };
  return { ...style, colour: colours[code] ?? style.colour };
}

function append(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  if (last?.bold === span.bold && last.colour === span.colour) {
    spans[spans.length - 1] = { ...last, text: last.text + span.text };
  } else spans.push(span);
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", "'": "&#39;" };
  return text.replace(/[&<']/g, (character) => entities[character] ?? character);
}
