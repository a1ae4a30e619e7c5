// Goal: a JVM trusts the server with DIR/truststore.p12 and nothing else. Method: read the file
// with keytool and OpenSSL; let Java shake hands with a real server, with the file and without it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemRandom } from "../../src/crypto/random.ts";
import { truststorePassword, writeTruststore } from "../../src/gateway/truststore.ts";
import { startTestServer } from "../harness/server.ts";
import { temporaryFolder } from "./support.ts";

const has = (command: string, flag: string) => spawnSync(command, [flag]).status === 0;
const needsJava = { skip: !has("java", "-version") && "no Java here" };
const needsKeytool = { skip: !has("keytool", "-help") && "no keytool here" };
const needsOpenssl = { skip: !has("openssl", "version") && "no OpenSSL here" };

test("keytool sees one trusted certificate: the CA", needsKeytool, async () => {
  const server = await startTestServer();
  try {
    const file = join(server.dataFolder, "truststore.p12");
    assert.equal(statSync(file).mode & 0o777, 0o644);
    const { status, stdout } = keytool(file, truststorePassword);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /sealpost, .*trustedCertEntry/);
    const { fingerprint256 } = new X509Certificate(server.ca);
    assert.ok(stdout.includes(fingerprint256), stdout);
    assert.notEqual(keytool(file, "another").status, 0, "the MAC is checked");
  } finally {
    await server.stop();
  }
});

test("OpenSSL agrees with the MAC, and notices a changed byte", needsOpenssl, async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const folder = temporaryFolder(t);
  const good = writeTruststore(server.ca, "sealpost", (count) => systemRandom.bytes(count));
  const bad = Buffer.from(good);
  const at = Math.floor(bad.length / 2);
  bad[at] = (bad[at] ?? 0) ^ 1;
  for (const [name, bytes, expected] of [
    ["good.p12", good, 0],
    ["bad.p12", bad, 1],
  ] as const) {
    writeFileSync(join(folder, name), bytes);
    const args = ["pkcs12", "-in", join(folder, name), "-nokeys", "-passin", "pass:changeit"];
    const { status, stdout } = spawnSync("openssl", args, { encoding: "utf8" });
    assert.equal(status, expected, name);
    if (expected === 0) {
      const pem = /-----BEGIN[\s\S]*END CERTIFICATE-----/.exec(stdout)?.[0] ?? "";
      assert.equal(
        new X509Certificate(pem).fingerprint256,
        new X509Certificate(server.ca).fingerprint256,
      );
    }
  }
});

const source = `
public class Ask {
  public static void main(String[] args) throws Exception {
    var c = (java.net.HttpURLConnection) new java.net.URL(args[0]).openConnection();
    System.out.println(c.getResponseCode());
  }
}`;

test("a JVM reaches the server with the file, and not without it", needsJava, async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const file = join(temporaryFolder(t), "Ask.java");
  writeFileSync(file, source);
  const trust = [
    `-Djavax.net.ssl.trustStore=${join(server.dataFolder, "truststore.p12")}`,
    `-Djavax.net.ssl.trustStorePassword=${truststorePassword}`,
  ];
  const url = `${server.httpsUrl}/_sealpost/health`;
  assert.equal((await java([...trust, file, url])).trim(), "200");
  await assert.rejects(java([file, url]), /certification path|PKIX|certificate/i);
});

/** The server runs in this process, so nothing may block its event loop. */
function java(args: readonly string[]): Promise<string> {
  const child = spawn("java", ["-XX:TieredStopAtLevel=1", ...args]);
  let out = "";
  let err = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text;
  });
  child.stderr.on("data", (text: Buffer) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.once("close", (code) => (code === 0 ? resolve(out) : reject(new Error(err))));
  });
}

function keytool(file: string, password: string) {
  const args = ["-list", "-storetype", "PKCS12", "-keystore", file, "-storepass", password];
  const { status, stdout } = spawnSync("keytool", args, { encoding: "utf8" });
  return { status, stdout };
}

test("the file is what the certificate is: bytes of ca.pem inside", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const store = readFileSync(join(server.dataFolder, "truststore.p12"));
  assert.ok(store.includes(new X509Certificate(server.ca).raw));
});
