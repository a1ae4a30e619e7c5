import assert from "node:assert/strict";
import { test } from "node:test";
import { settingRows } from "../../src/cli/options.ts";
import { readDataFolder, readSettings } from "../../src/cli/settings.ts";
import {
  environmentNameOf,
  flagOf,
  type SettingName,
  settingEntries,
  settingsTable,
} from "../../src/config.ts";

// Goal: each setting has the same three forms, in the same order of precedence, and what cannot be
// used is refused with the name of where it came from. Method: tables over all settings.

const workingDirectory = "/work";

function read(
  flags: Record<string, unknown> = {},
  environment: Record<string, string> = {},
  file?: object | string,
) {
  const fileText = typeof file === "object" ? JSON.stringify(file) : file;
  return readSettings({ flags, environment, fileText, workingDirectory });
}

/** Three good and different values for each setting that can be used now. */
const values: Partial<Record<SettingName, readonly [string, string, string]>> = {
  data: ["/a", "/b", "/c"],
  host: ["127.0.0.1", "localhost", "::1"],
  port: ["1", "2", "3"],
  region: ["r-1", "r-2", "r-3"],
  account: ["111111111111", "222222222222", "333333333333"],
  sealFile: ["/k1", "/k2", "/k3"],
  publicUrl: ["https://a", "https://b", "http://c/d"],
  logLevel: ["debug", "warn", "error"],
  trustProxy: ["10.0.0.0/8", "fd00::/8", "1.2.3.4"],
  tlsName: ["a.example", "*.b.example", "10.0.0.1"],
};

test("a flag wins over the environment, the environment over the file, the file over nothing", () => {
  for (const [name, [flag, environment, file]] of Object.entries(values)) {
    const key = name as SettingName;
    const list = settingsTable[key].kind === "list";
    const flags = { [name]: list ? [flag] : flag };
    const variables = { [environmentNameOf(name)]: environment };
    const text = { [name]: list ? [file] : file };
    const got = (value: unknown) => (list ? (value as string[])[0] : String(value));
    const chosen = (settings: object) => got((settings as Record<string, unknown>)[name]);
    assert.equal(chosen(read(flags, variables, text)), flag, name);
    assert.equal(chosen(read({}, variables, text)), environment, name);
    assert.equal(chosen(read({}, {}, text)), file, name);
    assert.notEqual(chosen(read()), file, name);
  }
});

test("switches follow the same order, so a flag can turn off what the environment turns on", () => {
  for (const [name, spec] of settingEntries) {
    // --no-public stands with an endpoint only; the tests of endpoints have it.
    if (spec.kind !== "boolean" || name === "noPublic") continue;
    const on = { [environmentNameOf(name)]: "true" };
    const chosen = (settings: object) => (settings as Record<string, unknown>)[name];
    assert.equal(chosen(read()), false, name);
    assert.equal(chosen(read({}, on)), true, name);
    assert.equal(chosen(read({ [name]: false }, on)), false, name);
    assert.equal(chosen(read({}, { [environmentNameOf(name)]: "0" }, { [name]: true })), false);
    assert.equal(chosen(read({}, {}, { [name]: true })), true, name);
  }
});

test("defaults are those of the surface contract", () => {
  const settings = read();
  assert.equal(settings.data, "/work/.sealpost");
  assert.equal(settings.sealFile, "/work/.sealpost/root.key");
  assert.equal(settings.host, "127.0.0.1");
  assert.equal(settings.port, 4566);
  assert.equal(settings.account, "123456789012");
  assert.equal(settings.region, "us-east-1");
  assert.equal(settings.clock, "system");
  assert.ok(Object.isFrozen(settings));
  assert.equal(read({ data: "x" }).sealFile, "/work/x/root.key");
});

test("malformed values are refused by the name of their source", () => {
  const bad: [
    Record<string, unknown>,
    Record<string, string>,
    object | string | undefined,
    RegExp,
  ][] = [
    [{ port: "65536" }, {}, undefined, /^--port must be a whole number from 0 to 65535$/],
    [{ port: "1e3" }, {}, undefined, /--port/],
    [{}, { SEALPOST_PORT: "tcp://10.0.0.1:4566" }, undefined, /enableServiceLinks/],
    [{}, {}, { port: "x" }, /`port` in sealpost\.config\.json/],
    [{}, {}, { prot: 1 }, /`prot` in sealpost\.config\.json is not a setting/],
    [{}, {}, "{", /is not JSON/],
    [{}, {}, "[]", /one JSON object/],
    [{}, {}, { host: ["a"] }, /must be a text/],
    [{ account: "12" }, {}, undefined, /12 digits/],
    [{ clock: "sundial" }, {}, undefined, /one of system, virtual/],
    [{ trustProxy: ["0.0.0.0/0"] }, {}, undefined, /would trust every address/],
    [{ trustProxy: ["10.0.0.0/8", "::/0"] }, {}, undefined, /would trust every address/],
    [{ publicUrl: "ftp://x" }, {}, undefined, /http/],
    [{ publicUrl: "https://u:p@x" }, {}, undefined, /no user/],
    [{ tlsCert: "/c" }, {}, undefined, /go together/],
    [{ tlsCert: "/c", tlsKey: "/k", tlsName: ["x"] }, {}, undefined, /--tls-name/],
    [{}, { SEALPOST_TLS_ONLY: "yes please" }, undefined, /SEALPOST_TLS_ONLY must be true/],
    [{}, { SEALPOST_ROOT_ACCESS_KEY_ID: "A".repeat(20) }, undefined, /go together/],
  ];
  for (const [flags, environment, file, message] of bad) {
    assert.throws(() => read(flags, environment, file), { name: "SettingsError", message });
  }
});

test("a virtual clock and an unnamed root key stay on loopback", () => {
  assert.throws(() => read({ clock: "virtual", host: "0.0.0.0", sealFile: "/k" }), /loopback/);
  assert.throws(() => read({ host: "0.0.0.0" }), /--seal-file/);
  // Twins: what makes each of them fine.
  assert.equal(read({ clock: "virtual", host: "localhost" }).clock, "virtual");
  assert.equal(read({ host: "0.0.0.0", sealFile: ".sealpost/root.key" }).host, "0.0.0.0");
});

test("root credentials come from the environment as a pair", () => {
  const secret = "s".repeat(40);
  const environment = {
    SEALPOST_ROOT_ACCESS_KEY_ID: "A".repeat(20),
    SEALPOST_ROOT_SECRET_ACCESS_KEY: secret,
  };
  assert.equal(read({}, environment).rootCredentials?.secretAccessKey, secret);
  assert.equal(read().rootCredentials, undefined);
  const bad = { ...environment, SEALPOST_ROOT_ACCESS_KEY_ID: "short" };
  assert.throws(
    () => read({}, bad),
    (error: Error) => !error.message.includes(secret),
  );
});

test("what has no effect or is unsafe is told", () => {
  const { warnings } = read({ allowInsecureSse: true }, { SEALPOST_PROT: "1", OTHER: "2" });
  assert.equal(warnings.length, 2);
  assert.match(warnings.join("\n"), /SEALPOST_PROT[\s\S]*--allow-insecure-sse/);
  assert.deepEqual(read().warnings, []);
});

test("other verbs read the data folder alone, whatever else is wrong", () => {
  const fileText = JSON.stringify({ data: "d", threads: 9 });
  assert.equal(readDataFolder({ workingDirectory, fileText }), "/work/d");
});

test("every setting has one row with its three names", () => {
  const rows = settingRows();
  assert.equal(rows.length, settingEntries.length);
  assert.equal(new Set(rows.map(({ environment }) => environment)).size, rows.length);
  const row = rows.find(({ key }) => key === "allowInsecureSse");
  assert.equal(row?.flag, "--allow-insecure-sse");
  assert.equal(row?.environment, "SEALPOST_ALLOW_INSECURE_SSE");
  assert.equal(flagOf("publicUrl"), "--public-url");
});
