import { equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fill, folderFor, opensAll, sealVerb, serve } from "./scene.ts";

// Goal: the root key is sealed by a key that never leaves a PKCS #11 token. Method: SoftHSM2 with a
// token of the test; first start, restart, a lost key process, rotation, a wrong PIN, another
// token.

const module = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
]
  .concat(
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
  )
  .find((path) => existsSync(path));
const skip =
  module === undefined
    ? "needs SoftHSM2 (Debian package softhsm2)"
    : hasAddon()
      ? false
      : "needs the optional package pkcs11js, built";

test("the seal pkcs11", { skip }, async (t) => {
  const folder = folderFor(t);
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const config = join(folder, "softhsm2.conf");
  writeFileSync(config, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`);
  const pin = "48151623";
  for (const label of ["sealpost", "another"]) {
    execFileSync(
      "softhsm2-util",
      ["--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "99999999"],
      { env: { ...process.env, SOFTHSM2_CONF: config }, stdio: "ignore" },
    );
  }
  const data = join(folder, "data");
  mkdirSync(data);
  const flags = {
    seal: "pkcs11",
    sealPkcs11Module: module,
    sealPkcs11Token: "sealpost",
    sealPkcs11Env: [`SOFTHSM2_CONF=${config}`],
  };
  const secrets = { SEALPOST_SEAL_PIN: pin };
  const first = await serve(data, flags, secrets);
  const scene = await fill(first);
  await first.stop();
  ok(!existsSync(join(data, "root.key")));
  const second = await serve(data, flags, secrets);
  await opensAll(second, scene);
  await second.stop();

  const words = ["--seal-pkcs11-module", String(module), "--seal-pkcs11-token", "sealpost"];
  const config11 = ["--seal-pkcs11-env", `SOFTHSM2_CONF=${config}`];
  const rotated = await sealVerb(["rotate", ...words, ...config11], data, secrets);
  equal(rotated.code, 0, rotated.text);
  const third = await serve(data, flags, secrets);
  await opensAll(third, scene);
  await third.stop();

  const other = await sealVerb(
    [
      "rotate",
      "--seal-pkcs11-module",
      String(module),
      "--seal-pkcs11-token",
      "another",
      ...config11,
    ],
    data,
    secrets,
  );
  equal(other.code, 1);
  match(other.text, /no key sealpost-root/);
  const back = await sealVerb(["migrate", "--to", "file", ...words, ...config11], data, secrets);
  equal(back.code, 0, back.text);
  const last = await serve(data);
  await opensAll(last, scene);
  await last.stop();
});

function hasAddon(): boolean {
  try {
    createRequire(import.meta.url)("pkcs11js");
    return true;
  } catch {
    return false;
  }
}
