import { equal } from "node:assert/strict";
import { createHash, verify } from "node:crypto";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folderFor, identity, keyProcessFor } from "./helpers.ts";

// Goal: signatures over digests, which libraries make, work where packages are links into a common
// store. Method: the key process's code in a folder of its own whose node_modules is such a link;
// node:crypto verifies.

for (const linked of ["node_modules", "node_modules/@noble"]) {
  test(`libraries are found where ${linked} is a link`, async (t) => {
    const folder = folderFor(t);
    const root = new URL("../../", import.meta.url);
    for (const name of ["keys", "crypto", "seals", "kernel"]) {
      const sources = fileURLToPath(new URL(`src/${name}`, root));
      cpSync(sources, join(folder, "src", name), { recursive: true });
    }
    mkdirSync(dirname(join(folder, linked)), { recursive: true });
    symlinkSync(fileURLToPath(new URL(linked, root)), join(folder, linked));
    const entry = pathToFileURL(join(folder, "src", "keys", "child.ts"));
    const keys = await keyProcessFor(t, { entry });
    const keySpec = "ECC_NIST_P256";
    const material = await keys.createMaterial({ ...identity, keySpec });
    const message = createHash("sha256").update("record").digest();
    const question = { algorithm: "ECDSA_SHA_256", messageType: "DIGEST", message } as const;
    const asked = { ...identity, material, keySpec, ...question } as const;
    const signature = await keys.sign(asked);
    const spki = Buffer.from(material.publicKey ?? []);
    const key = { key: spki, format: "der", type: "spki" } as const;
    equal(verify("sha256", Buffer.from("record"), key, signature), true);
    equal(await keys.verify({ ...asked, signature }), true);
  });
}
