/**
 * Draws the way of a message for the README, dark and light: `node scripts/draw-message.ts`.
 * `--check` fails if the files are not what it would draw.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Palette {
  readonly ink: string;
  readonly faint: string;
  readonly station: string;
  readonly edge: string;
  readonly key: string;
  readonly sealed: string;
}

const palettes: Readonly<Record<string, Palette>> = {
  light: {
    ink: "#1f2328",
    faint: "#59636e",
    station: "#f6f8fa",
    edge: "#818b98",
    key: "#9a6700",
    sealed: "#0969da",
  },
  dark: {
    ink: "#e6edf3",
    faint: "#9198a1",
    station: "#161b22",
    edge: "#656c76",
    key: "#d29922",
    sealed: "#4493f8",
  },
};

const width = 920;
const height = 330;
const station = { width: 150, height: 76, y: 34 };
const keyY = 176;
const auditY = 268;
const columns = { publisher: 20, topic: 250, queue: 490, consumer: 750 };
const font = "font-family='ui-sans-serif, system-ui, Helvetica, Arial, sans-serif'";

function draw(palette: Palette): string {
  const { ink, faint, key, sealed } = palette;
  const parts = [
    box(palette, columns.publisher, "publisher", "an IAM user, role", "or AWS service"),
    box(palette, columns.topic, "topic", "body sealed", "AES-256-GCM", sealed),
    box(palette, columns.queue, "queue", "sealed anew", "under its own key", sealed),
    box(palette, columns.consumer, "consumer", "opened for those", "who may decrypt"),
    arrow(palette, columns.publisher, columns.topic, "sns:Publish", "TLS, SigV4"),
    arrow(palette, columns.topic, columns.queue, "deliver", "queue policy"),
    arrow(palette, columns.queue, columns.consumer, "sqs:Receive…", "TLS, SigV4"),
    keyBox(palette, columns.topic, "key of the topic"),
    keyBox(palette, columns.queue, "key of the queue"),
    asks(palette, columns.topic, "as the publisher:", "GenerateDataKey, Decrypt"),
    asks(
      palette,
      columns.queue,
      "as sns.amazonaws.com: GenerateDataKey",
      "as the consumer: Decrypt",
    ),
    `<rect x='20' y='${auditY}' width='880' height='42' rx='6' fill='none' stroke='${palette.edge}' stroke-dasharray='5 4'/>`,
    text(
      460,
      auditY + 26,
      ink,
      14,
      "audit: every use of a key and every denial, for whom, through what, in the same commit",
    ),
    text(820, keyY + 32, faint, 13, "key policy + IAM"),
    text(820, keyY + 50, faint, 13, "decide at every hop"),
    text(95, keyY + 32, faint, 13, "data keys live"),
    text(95, keyY + 50, faint, 13, "five minutes"),
  ];
  const title = "The way of a message: publisher, encrypted topic, encrypted queue, consumer";
  return [
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${width} ${height}' role='img' aria-label='${title}'>`,
    `<title>${title}</title>`,
    `<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='8' markerHeight='8' orient='auto'><path d='M0 0L8 4L0 8z' fill='${faint}'/></marker>`,
    `<marker id='keytip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='8' markerHeight='8' orient='auto'><path d='M0 0L8 4L0 8z' fill='${key}'/></marker></defs>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function box(
  palette: Palette,
  x: number,
  name: string,
  first: string,
  second: string,
  edge = palette.edge,
): string {
  const middle = x + station.width / 2;
  const { y, width: w, height: h } = station;
  return [
    `<rect x='${x}' y='${y}' width='${w}' height='${h}' rx='8' fill='${palette.station}' stroke='${edge}' stroke-width='1.5'/>`,
    text(middle, y + 26, palette.ink, 17, name, "600"),
    text(middle, y + 47, palette.faint, 13, first),
    text(middle, y + 64, palette.faint, 13, second),
  ].join("\n");
}

function arrow(palette: Palette, from: number, to: number, over: string, under: string): string {
  const start = from + station.width + 4;
  const end = to - 4;
  const y = station.y + station.height / 2;
  const middle = (start + end) / 2;
  return [
    `<path d='M${start} ${y}H${end}' stroke='${palette.faint}' stroke-width='1.5' marker-end='url(#tip)'/>`,
    text(middle, y - 9, palette.ink, 12.5, over),
    text(middle, y + 19, palette.faint, 11.5, under),
  ].join("\n");
}

function keyBox(palette: Palette, x: number, name: string): string {
  const { width: w } = station;
  return [
    `<rect x='${x}' y='${keyY + 10}' width='${w}' height='46' rx='8' fill='${palette.station}' stroke='${palette.key}' stroke-width='1.5'/>`,
    text(x + w / 2, keyY + 31, palette.ink, 14, name, "600"),
    text(x + w / 2, keyY + 48, palette.faint, 12, "KMS, its own process"),
  ].join("\n");
}

function asks(palette: Palette, x: number, first: string, second: string): string {
  const middle = x + station.width / 2;
  const start = station.y + station.height + 4;
  return [
    `<path d='M${middle} ${start}V${keyY + 6}' stroke='${palette.key}' stroke-width='1.5' marker-end='url(#keytip)'/>`,
    text(middle + 10, start + 28, palette.faint, 11.5, first, "400", "start"),
    text(middle + 10, start + 44, palette.faint, 11.5, second, "400", "start"),
    `<path d='M${middle} ${keyY + 60}V${auditY - 4}' stroke='${palette.edge}' stroke-dasharray='5 4'/>`,
  ].join("\n");
}

function text(
  x: number,
  y: number,
  fill: string,
  size: number,
  words: string,
  weight = "400",
  anchor = "middle",
): string {
  return `<text x='${x}' y='${y}' fill='${fill}' font-size='${size}' font-weight='${weight}' text-anchor='${anchor}' ${font}>${words}</text>`;
}

const check = process.argv.includes("--check");
for (const [name, palette] of Object.entries(palettes)) {
  const file = fileURLToPath(new URL(`../docs/images/message-${name}.svg`, import.meta.url));
  const drawn = draw(palette);
  if (!check) writeFileSync(file, drawn);
  else if (readFileSync(file, "utf8") !== drawn) {
    console.error(`docs/images/message-${name}.svg is not what scripts/draw-message.ts draws`);
    process.exitCode = 1;
  }
}
