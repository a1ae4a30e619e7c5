/**
 * Reads the YAML that the deployment files are written in: block maps and lists, plain and
 * double-quoted scalars, anchors and merges of whole maps. Anything else is an error, so that the
 * files stay simple. Several documents come as several values.
 */
export type Yaml = string | number | boolean | null | readonly Yaml[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: Yaml;
}

interface Line {
  readonly indent: number;
  readonly text: string;
}

export function parseYaml(source: string): readonly Yaml[] {
  return source
    .split(/^---$/m)
    .map((document) => linesOf(document))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const reader = new Reader(lines);
      const value = reader.block(0);
      if (!reader.done) throw new Error(`not understood: ${reader.here}`);
      return value;
    });
}

function linesOf(document: string): Line[] {
  return document
    .split("\n")
    .filter((line) => !/^\s*(#.*)?$/.test(line))
    .map((line) => {
      if (line.includes("\t")) throw new Error(`a tab: ${line}`);
      const text = line.trimStart();
      return { indent: line.length - text.length, text: text.trimEnd() };
    });
}

class Reader {
  #at = 0;
  readonly #lines: readonly Line[];
  readonly #anchors = new Map<string, Yaml>();

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  get done(): boolean {
    return this.#at === this.#lines.length;
  }

  get here(): string {
    return this.#lines[this.#at]?.text ?? "";
  }

  block(indent: number): Yaml {
    const line = this.#lines[this.#at];
    if (line === undefined || line.indent < indent) return null;
    return line.text.startsWith("- ") ? this.#list(line.indent) : this.#map(line.indent);
  }

  #list(indent: number): Yaml {
    const items: Yaml[] = [];
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      if (!line.text.startsWith("- ")) break;
      const text = line.text.slice(2);
      if (/^[\w.-]+:( |$)/.test(text)) {
        // A map whose first key stands behind the dash.
        (this.#lines as Line[])[this.#at] = { indent: indent + 2, text };
        items.push(this.#map(indent + 2));
      } else {
        this.#at += 1;
        items.push(scalar(text));
      }
    }
    return items;
  }

  #map(indent: number): Yaml {
    const map: Record<string, Yaml> = {};
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const found = /^([\w./<-]+):(?: (.*))?$/.exec(line.text);
      if (found === null) throw new Error(`not a key: ${line.text}`);
      const [, key = "", rest = ""] = found;
      this.#at += 1;
      const anchor = /^&(\w+)$/.exec(rest)?.[1];
      const value = rest === "" || anchor ? this.block(indent + 1) : this.#value(rest);
      if (anchor) this.#anchors.set(anchor, value);
      if (key === "<<") Object.assign(map, value);
      else if (Object.hasOwn(map, key)) throw new Error(`twice: ${key}`);
      else map[key] = value;
    }
    return map;
  }

  #value(text: string): Yaml {
    if (!text.startsWith("*")) return scalar(text);
    const value = this.#anchors.get(text.slice(1));
    if (value === undefined) throw new Error(`no anchor ${text}`);
    return value;
  }
}

function scalar(text: string): Yaml {
  if (text === "{}") return {};
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (/^[[{&*!|>'%@`]/.test(text) || / #|: /.test(text)) throw new Error(`too clever: ${text}`);
  if (/^(true|false)$/.test(text)) return text === "true";
  return /^\d+$/.test(text) ? Number(text) : text;
}
