// Goal: the examples work. Method: run each as its first line says, through `sealpost run`, where
// its client is installed; check the form of those whose client is seldom at hand.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../gateway/support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "bin/sealpost.js");
const examples = join(root, "examples");
const works = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

const runnable: readonly [name: string, command: readonly string[], skip: string | false][] = [
  ["node-sdk", [process.execPath, "node-sdk/publish.mjs"], false],
  [
    "boto3",
    ["python3", "boto3/publish.py"],
    !works("python3", "-c", "import boto3") && "no boto3 here",
  ],
  ["aws-cli", ["aws-cli/publish.sh"], !works("aws", "--version") && "no AWS CLI here"],
];

for (const [name, command, skip] of runnable) {
  test(`${name}: a message goes all the way`, { skip }, async () => {
    const { code, out, err } = await run([bin, "run", "--", ...command]);
    assert.equal(code, 0, err);
    assert.equal(out, "two coffees\n");
  });
}

test("node-test: the helper in a test of its own", async () => {
  // A clone has no dist/: the package's own condition leads to its sources.
  const args = ["--conditions=sealpost-source", "--test", "node-test/orders.test.mjs"];
  const { code, out } = await run(args);
  assert.equal(code, 0, out);
});

test("the Vitest and Jest examples use what the package gives", () => {
  for (const name of [
    "vitest/orders.test.ts",
    "jest/orders.test.mjs",
    "node-test/orders.test.mjs",
  ]) {
    const text = readFileSync(join(examples, name), "utf8");
    assert.match(text, /from "sealpost\/testing"/);
    assert.match(text, /clock\.advance\("\d+[sm]"\)/);
  }
});

test("Terraform's own formatter agrees", {
  skip: !works("terraform", "version") && "no Terraform",
}, () => {
  const { status, stdout } = spawnSync("terraform", ["fmt", "-check", "-diff", "terraform"], {
    cwd: examples,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout);
});

test("YAML files can be read", {
  skip: !works("python3", "-c", "import yaml") && "no PyYAML",
}, () => {
  const files = globSync("**/*.yml", { cwd: examples }).concat("gitlab-ci/.gitlab-ci.yml");
  assert.ok(files.length >= 4);
  for (const file of files) {
    const script = "import sys, yaml; yaml.safe_load(open(sys.argv[1]))";
    const { status, stderr } = spawnSync("python3", ["-c", script, join(examples, file)]);
    assert.equal(status, 0, `${file}: ${stderr}`);
  }
});

test("project files are XML", { skip: !works("python3", "--version") && "no Python" }, () => {
  const script = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])";
  for (const file of ["java/pom.xml", "dotnet/Orders.csproj"]) {
    const { status, stderr } = spawnSync("python3", ["-c", script, join(examples, file)], {
      encoding: "utf8",
    });
    assert.equal(status, 0, `${file}: ${stderr}`);
  }
});

test("Java's compiler misses the libraries, and nothing else", {
  skip: !works("javac", "-version") && "no JDK",
}, (t) => {
  const wrong = (file: string) => {
    const { stderr } = spawnSync("javac", ["-Xmaxerrs", "1000", "-d", temporaryFolder(t), file], {
      encoding: "utf8",
    });
    const errors = stderr.split("\n").filter((line) => line.includes(": error: "));
    assert.ok(errors.length > 0, "it was read");
    return errors.filter(
      (line) => !/package \S+ does not exist|cannot find symbol|static import only/.test(line),
    );
  };
  for (const file of ["java/src/main/java/Orders.java", "testcontainers/OrdersTest.java"]) {
    assert.deepEqual(wrong(join(examples, file)), []);
  }
  const broken = join(temporaryFolder(t), "Broken.java");
  writeFileSync(broken, "class Broken { void forgotten( { } }");
  assert.notDeepEqual(wrong(broken), []);
});

test("the index names every example, and every example is there", () => {
  const index = readFileSync(join(examples, "README.md"), "utf8");
  const links = [...index.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? "");
  assert.deepEqual(
    links.filter((link) => !existsSync(join(examples, link))),
    [],
  );
  const folders = globSync("*/", { cwd: examples }).map((name) => name.replace(/\/$/, ""));
  assert.deepEqual(
    folders.filter((name) => !links.some((link) => link.startsWith(name))),
    [],
  );
});

async function run(args: readonly string[]) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: examples, env });
  let out = "";
  let err = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text;
  });
  child.stderr.on("data", (text: Buffer) => {
    err += text;
  });
  const [code] = await once(child, "close");
  return { code: code as number, out, err };
}
