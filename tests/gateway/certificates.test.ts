import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { virtualClock } from "../../src/clock/virtual.ts";
import { openPrivateCertificates } from "../../src/gateway/certificates.ts";
import { issueServer } from "../../src/gateway/issue-certificates.ts";
import { openOwnCertificate } from "../../src/gateway/own-certificate.ts";
import type { TlsMaterial } from "../../src/gateway/server.ts";
import { silentLog } from "../../src/kernel/log.ts";
import {
  certificate,
  random,
  secretBox,
  signalled,
  temporaryFolder,
  testGateway,
} from "./support.ts";

// Goal: clients that trust DIR/ca.pem and nothing else accept the server under all its names, and
// nobody can make that CA vouch for other names. Method: real handshakes of Node and Python.

const dayMs = 86_400_000;

function testClock(t: TestContext, startMs = Date.now()) {
  const clock = virtualClock({
    systemNow: () => startMs,
    offsetMs: 0,
    saveOffset: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  t.after(() => clock.close());
  return clock;
}

function open(t: TestContext, folder: string, tlsNames: string[] = [], clock = testClock(t)) {
  const options = { folder, secrets: secretBox, clock, random, tlsNames, log: silentLog };
  const source = openPrivateCertificates({ ...options, hostName: "host-a" });
  t.after(() => source.close());
  return source;
}

/** Resolves to undefined if the client accepts the server, else to the reason. */
async function refusal(port: number, ca: string, servername: string): Promise<string | undefined> {
  const socket = connect({ port, host: "127.0.0.1", ca, servername });
  try {
    await once(socket, "secureConnect");
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    socket.destroy();
  }
}

test("Node accepts the server under its names with the CA as only anchor", async (t) => {
  const folder = temporaryFolder(t);
  const source = open(t, folder, ["mq.example", "192.0.2.7"]);
  const { port } = await testGateway(t, { tls: source.material() });
  const ca = readFileSync(join(folder, "ca.pem"), "utf8");
  const names = ["localhost", "sealpost", "host.docker.internal", "host-a", "mq.example"];
  for (const name of names) assert.equal(await refusal(port, ca, name), undefined, name);
  // Twins: a name it does not hold, and a client with another CA.
  assert.match((await refusal(port, ca, "other.example")) ?? "", /does not match certificate/);
  const stranger = temporaryFolder(t);
  open(t, stranger);
  const otherCa = readFileSync(join(stranger, "ca.pem"), "utf8");
  assert.match((await refusal(port, otherCa, "localhost")) ?? "", /unable to verify/);
  const leaf = new X509Certificate(source.material().cert);
  for (const address of ["127.0.0.1", "::1", "192.0.2.7"]) {
    assert.notEqual(leaf.checkIP(address), undefined, address);
  }
  assert.ok(leaf.validToDate.getTime() - leaf.validFromDate.getTime() <= 90 * dayMs);
});

test("Python's OpenSSL accepts the chain as well", async (t) => {
  if (spawnSync("python3", ["-c", "import ssl"]).status !== 0) return t.skip("no python3 with ssl");
  const folder = temporaryFolder(t);
  const { port } = await testGateway(t, { tls: open(t, folder).material() });
  const script = `
import ssl, socket, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
for name in ["localhost", "127.0.0.1", "sealpost"]:
    with socket.create_connection(("127.0.0.1", ${port})) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            print(name, tls.version())
`;
  const python = spawn("python3", ["-c", script, join(folder, "ca.pem")]);
  let printed = "";
  for (const stream of [python.stdout, python.stderr]) {
    stream.on("data", (chunk) => {
      printed += chunk;
    });
  }
  await once(python, "close");
  assert.equal(printed, "localhost TLSv1.3\n127.0.0.1 TLSv1.3\nsealpost TLSv1.3\n");
});

test("a stolen CA key cannot vouch for a name outside the CA's limits", async (t) => {
  const folder = temporaryFolder(t);
  const source = open(t, folder);
  const ca = readFileSync(join(folder, "ca.pem"), "utf8");
  const der = secretBox.open(
    readFileSync(join(folder, "tls", "ca-key.sealed"), "utf8").trim(),
    "tls-private-key:ca",
  );
  const issuerKey = createPrivateKey({ key: der, type: "pkcs8", format: "der" });
  const forge = (name: string): TlsMaterial => ({
    key: source.material().key,
    cert: issueServer({
      names: [name],
      key: createPrivateKey(source.material().key),
      issuerName: new X509Certificate(ca).subject.replace("CN=", ""),
      issuerKey,
      issuerNotAfterMs: Date.now() + dayMs,
      now: Date.now(),
      random,
    }),
  });
  const forged = await testGateway(t, { tls: forge("bank.example") });
  const forgery = await refusal(forged.port, ca, "bank.example");
  assert.match(forgery ?? "", /permitted subtree violation/);
  // Twin: the same key may vouch for a name inside.
  const inside = await testGateway(t, { tls: forge("x.localhost") });
  assert.equal(await refusal(inside.port, ca, "x.localhost"), undefined);
});

test("private keys lie sealed; a second start uses what is there", (t) => {
  const folder = temporaryFolder(t);
  const first = open(t, folder).material();
  const files = [
    ...readdirSync(folder),
    ...readdirSync(join(folder, "tls")).map((f) => `tls/${f}`),
  ];
  const secret = createPrivateKey(first.key).export({ type: "pkcs8", format: "der" });
  for (const file of files.filter((name) => statSync(join(folder, name)).isFile())) {
    const bytes = readFileSync(join(folder, file));
    assert.equal(bytes.includes("PRIVATE KEY"), false, file);
    assert.equal(bytes.includes(secret), false, file);
    assert.equal(bytes.includes(secret.toString("base64")), false, file);
  }
  const ca = readFileSync(join(folder, "ca.pem"), "utf8");
  assert.deepEqual(open(t, folder).material(), first);
  assert.equal(readFileSync(join(folder, "ca.pem"), "utf8"), ca);
});

test("the certificate is renewed by itself before it ends", async (t) => {
  const folder = temporaryFolder(t);
  const clock = testClock(t);
  const source = open(t, folder, [], clock);
  const first = source.material();
  const gateway = await testGateway(t, { tls: first });
  const changed: TlsMaterial[] = [];
  source.onChange((material) => {
    changed.push(material);
    gateway.setTls(material);
  });
  await clock.advance(50 * dayMs);
  assert.equal(changed.length, 0, "it is not renewed while it is young");
  await clock.advance(15 * dayMs);
  assert.equal(changed.length, 1);
  assert.notEqual(source.material().cert, first.cert);
  await clock.advance(200 * dayMs);
  assert.ok(changed.length >= 3, "renewals go on");
  const socket = connect({ port: gateway.port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const served = socket.getPeerX509Certificate()?.toString();
  socket.destroy();
  assert.equal(served, source.material().cert, "new connections get the new certificate");
});

test("a further --tls-name widens the CA under the same key; a new host name does not", (t) => {
  const folder = temporaryFolder(t);
  open(t, folder);
  const before = new X509Certificate(readFileSync(join(folder, "ca.pem")));
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
  const options = { folder, secrets: secretBox, clock: testClock(t), random, log };
  const moved = openPrivateCertificates({ ...options, hostName: "host-b", tlsNames: [] });
  moved.close();
  assert.equal(new X509Certificate(moved.material().cert).checkHost("host-b"), undefined);
  assert.match(warnings[0] ?? "", /left out/);
  const source = openPrivateCertificates({
    ...options,
    hostName: "host-a",
    tlsNames: ["new.example"],
  });
  source.close();
  assert.equal(new X509Certificate(source.material().cert).checkHost("new.example"), "new.example");
  const after = new X509Certificate(readFileSync(join(folder, "ca.pem")));
  assert.notEqual(after.serialNumber, before.serialNumber);
  assert.ok(after.publicKey.equals(before.publicKey));
  assert.match(warnings.at(-1) ?? "", /ca\.pem has changed/);
});

test("an own certificate is reloaded when its files change", async (t) => {
  const folder = temporaryFolder(t);
  const [certFile, keyFile] = [join(folder, "c.pem"), join(folder, "k.pem")];
  const write = (material: TlsMaterial) => {
    writeFileSync(certFile, material.cert);
    writeFileSync(keyFile, material.key);
  };
  write(certificate);
  const source = openOwnCertificate({ certFile, keyFile, checkMs: 5, log: silentLog });
  t.after(() => source.close());
  assert.deepEqual(source.material(), certificate);
  const changed = signalled<TlsMaterial>();
  source.onChange(changed.resolve);
  const next = open(t, temporaryFolder(t)).material();
  write(next);
  assert.deepEqual(await changed.promise, next);
  // A pair that does not belong together never comes into use.
  assert.throws(() => {
    writeFileSync(certFile, certificate.cert);
    openOwnCertificate({ certFile, keyFile, checkMs: 60_000, log: silentLog }).close();
  }, /is not that of the certificate/);
});
