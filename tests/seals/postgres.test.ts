// Goal: the seal of an installation on PostgreSQL changes while no server of it is alive anywhere,
// and each server's log of uses is checked by itself. Method: two data folders on one database, the
// command line, and starts with the new and the old seal.
import { equal, match } from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { fill, folderFor, opensAll, sealVerb, serve } from "./scene.ts";

const passphrase = { SEALPOST_SEAL_PASSPHRASE: "correct horse battery staple" };
const fresh = { SEALPOST_SEAL_NEW_PASSPHRASE: "another passphrase entirely" };

test("rotate, migrate and check-uses on a shared store", async (t) => {
  const [one, two] = [join(folderFor(t), "one"), join(folderFor(t), "two")];
  const store = (await sharedCluster()).newStoreUrl();
  const on = ["--store", store];
  const first = await serve(one, { store, seal: "passphrase" }, passphrase);
  const scene = await fill(first);
  mkdirSync(two);
  copyFileSync(join(one, "credentials"), join(two, "credentials"));
  const second = await serve(two, { store, seal: "passphrase" }, passphrase);
  t.after(() => second.halt().catch(() => {}));
  match((await sealVerb(["rotate", ...on], one, passphrase)).text, /another server \(pid \d+\)/);
  await first.halt();
  // The other one is somewhere else: the database knows it.
  const refused = await sealVerb(["rotate", ...on], one, passphrase);
  equal(refused.code, 1);
  match(refused.text, /servers or commands work on this database \(from 127\.0\.0\.1\): stop them/);
  // Each has a log of its own, so nobody else has to stop for a look at it.
  const uses = await sealVerb(["check-uses", "--seal", "passphrase", ...on], one, passphrase);
  equal(uses.code, 0, uses.text);
  match(uses.text, /^[1-9]\d* lines, each follows/);
  const lines = ["check-uses", "--seal", "passphrase", ...on];
  match((await sealVerb(lines, two, passphrase)).text, /another server/);
  await second.halt();

  const changed = await sealVerb(["migrate", "--to", "passphrase", ...on], one, {
    ...passphrase,
    ...fresh,
  });
  equal(changed.code, 0, changed.text);
  match(changed.text, /Every server needs the new seal/);
  const now = { SEALPOST_SEAL_PASSPHRASE: fresh.SEALPOST_SEAL_NEW_PASSPHRASE };
  const again = await serve(one, { store, seal: "passphrase" }, now);
  await opensAll(again, { ...scene, queueUrl: again.httpsUrl + new URL(scene.queueUrl).pathname });
  await again.halt();
  await serve(one, { store, seal: "passphrase" }, passphrase).then(
    (server) => server.halt().then(() => Promise.reject(new Error("the old one opens nothing"))),
    (error: unknown) => match(String(error), /passphrase does not open/),
  );

  // A machine without a data folder can do it as well; a file has to be brought to the servers.
  const third = join(two, "admin");
  const moved = ["migrate", "--to", "file", "--seal-file", join(two, "new.key"), ...on];
  equal((await sealVerb(moved, third, now)).code, 0);
  equal(existsSync(third), false);
  const last = await serve(two, { store, sealFile: join(two, "new.key") });
  await opensAll(last, { ...scene, queueUrl: last.httpsUrl + new URL(scene.queueUrl).pathname });
  await last.halt();
  const turned = await sealVerb(["rotate", "--seal-file", join(two, "new.key"), ...on], two);
  equal(turned.code, 0, turned.text);
  const empty = (await sharedCluster()).newStoreUrl();
  const none = await sealVerb(["rotate", "--store", empty], two);
  match(none.text, /this database has no key ring yet/);
});
