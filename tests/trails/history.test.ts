// Goal: nothing in the event history can be changed, removed or added unnoticed, with and without
// trails, on a running and on a stopped server; pruning is no such thing. Method: acts on a whole
// server, then the database file is edited as somebody who can write it would, also with a chain
// made anew by the published rules.
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { chainHash, chainStart, historyFacts } from "../../src/crypto/chain.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { verify } from "./scene.ts";

async function serverWithHistory(context: TestContext, flags: object = {}): Promise<TestServer> {
  const server = await startTestServer({ flags: { ...flags } });
  context.after(() => server.stop());
  for (let index = 0; index < 6; index += 1) {
    await server.rootClients.sns.createTopic({ Name: `t${index}` });
  }
  return server;
}

/** What a writer of the file can do while the server is stopped; checks stopped, then running. */
async function tampered(
  server: TestServer,
  edit: (database: DatabaseSync) => void,
): Promise<readonly string[]> {
  const outputs: string[] = [];
  const again = await server.restart((folder) => {
    const database = new DatabaseSync(join(folder, "sealpost.db"));
    edit(database);
    database.close();
  });
  try {
    const { code, out } = await verify(server);
    assert.equal(code, 1);
    outputs.push(...out.split("\n").filter((line) => line.includes("INVALID:")));
  } finally {
    await again.stop();
  }
  return outputs;
}

const pristine = `SELECT account_id, region, number FROM audit_events ORDER BY number`;

test("an untouched history is valid, running and stopped", async (context) => {
  const server = await serverWithHistory(context);
  const running = await verify(server);
  assert.deepEqual([running.code, running.err], [0, ""]);
  assert.match(running.out, /123456789012 us-east-1\t\d+ events, valid/);
  await server.restart(() => undefined).then((again) => again.stop());
  const stopped = await verify(server);
  assert.deepEqual([stopped.code, stopped.err], [0, ""]);
  assert.match(stopped.out, /\d+ events, valid/);
});

test("a stopped folder stays open until a long history is checked", async (context) => {
  const server = await serverWithHistory(context);
  const again = await server.restart((folder) => {
    const database = new DatabaseSync(join(folder, "sealpost.db"));
    database.exec(`WITH RECURSIVE copy(number) AS (VALUES (1000) UNION ALL
        SELECT number + 1 FROM copy WHERE number < 11000)
      INSERT INTO audit_events SELECT account_id, region, copy.number, time_ms, event_id,
        event_name, event_source, username, access_key_id, read_only, resources, record,
        key_version, hash FROM audit_events, copy WHERE audit_events.number = 1`);
    database.close();
  });
  await again.halt();
  const { code, out, err } = await verify(server);
  assert.deepEqual([code, err], [1, ""]);
  assert.match(out, /events 7 to 999 were removed/);
});

test("a history that grows meanwhile is valid", async (context) => {
  const server = await serverWithHistory(context);
  let growing = true;
  const grow = async () => {
    while (growing) await server.rootClients.sns.listTopics({});
  };
  const growers = Array.from({ length: 8 }, grow);
  try {
    for (let round = 0; round < 5; round += 1) {
      const { code, out } = await verify(server);
      assert.equal(code, 0, out);
    }
  } finally {
    growing = false;
    await Promise.all(growers);
  }
});

const edits: Readonly<Record<string, readonly [string, RegExp]>> = {
  "a record changed": [
    "UPDATE audit_events SET record = replace(record, 't2', 'x2') WHERE number = 3",
    /event 3 \([0-9a-f-]{36}\): the event was changed/,
  ],
  "what LookupEvents finds it by changed": [
    "UPDATE audit_events SET username = 'nobody' WHERE number = 3",
    /event 3 .*changed/,
  ],
  "its time changed": [
    "UPDATE audit_events SET time_ms = time_ms + 1 WHERE number = 3",
    /event 3 .*changed/,
  ],
  "one removed": ["DELETE FROM audit_events WHERE number = 3", /events 3 to 3 were removed/],
  "the first removed": [
    "DELETE FROM audit_events WHERE number <= 2",
    /events up to 2 are missing, and no record tells of their pruning/,
  ],
  "the last removed": [
    "DELETE FROM audit_events WHERE number = (SELECT max(number) FROM audit_events)",
    /event \d+: the newest events were removed/,
  ],
  "all removed": ["DELETE FROM audit_events", /the newest events were removed/],
  "one inserted": [
    `INSERT INTO audit_events SELECT account_id, region, number + 1, time_ms, 'forged', event_name,
       event_source, username, access_key_id, read_only, resources, record, key_version, hash
       FROM audit_events ORDER BY number DESC LIMIT 1`,
    /event \d+ \(forged\): the event was (changed|inserted)/,
  ],
  "two exchanged": [
    `UPDATE audit_events SET number = 1000 - number WHERE number IN (3, 4);
     UPDATE audit_events SET number = 1000 - number + 1 WHERE number = 997;
     UPDATE audit_events SET number = 1000 - number - 1 WHERE number = 996`,
    /event [34] .*changed/,
  ],
};

for (const [what, [sql, named]] of Object.entries(edits)) {
  test(`${what}: named`, async (context) => {
    const server = await serverWithHistory(context);
    const lines = await tampered(server, (database) => {
      assert.ok(database.prepare(pristine).all().length >= 6);
      database.exec(sql);
    });
    assert.ok(
      lines.some((line) => named.test(line)),
      lines.join("\n"),
    );
  });
}

test("a chain made anew does not hold: its key is not in the file", async (context) => {
  const server = await serverWithHistory(context);
  const guessed = { version: 1, key: hash("sha256", "guess", "buffer") };
  const lines = await tampered(server, (database) => {
    const rows = database.prepare("SELECT * FROM audit_events ORDER BY number").all();
    let before: Uint8Array = chainStart;
    for (const row of rows) {
      const text = (name: string) => String(row[name]);
      const event = {
        eventId: text("event_id"),
        timeMs: Number(row.time_ms),
        eventName: text("event_name"),
        eventSource: text("event_source"),
        username: "nobody",
        accessKeyId: text("access_key_id"),
        readOnly: row.read_only === 1,
        resources: (JSON.parse(text("resources")) as [string, string][]).map(([type, name]) => ({
          type,
          name,
        })),
      };
      const place = {
        accountId: text("account_id"),
        region: text("region"),
        lane: "",
        number: Number(row.number),
      };
      before = chainHash(guessed, place, before, historyFacts(event), text("record"));
      database
        .prepare("UPDATE audit_events SET username = 'nobody', hash = ? WHERE number = ?")
        .run(before, place.number);
    }
    database.prepare("UPDATE audit_chains SET hash = ?").run(before);
  });
  assert.ok(lines.some((line) => line.includes("event 1 ")));
});

test("a whole history that goes back in time shows by the anchor", async (context) => {
  const outside = mkdtempSync(join(tmpdir(), "sealpost-anchor-"));
  context.after(() => rmSync(outside, { recursive: true }));
  const anchor = join(outside, "heads.jsonl");
  const anchored = await startTestServer({ flags: { auditAnchor: anchor } });
  context.after(() => anchored.stop());
  const { sns } = anchored.rootClients;
  for (let index = 0; index < 4; index += 1) await sns.createTopic({ Name: `t${index}` });
  const again = await anchored.restart();
  context.after(() => again.stop());
  const lines = readFileSync(anchor, "utf8").trim().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "");
  assert.deepEqual([last.accountId, last.region, last.number], ["123456789012", "us-east-1", 4]);
  assert.match(last.hash, /^[0-9a-f]{64}$/);
  assert.equal((await verify(again, "--anchor", anchor)).code, 0);
  const back = await again.restart((path) => {
    const database = new DatabaseSync(join(path, "sealpost.db"));
    database.exec(`DELETE FROM audit_events WHERE number > 2;
      UPDATE audit_chains SET number = 2,
        hash = (SELECT hash FROM audit_events WHERE number = 2)`);
    database.close();
  });
  context.after(() => back.stop());
  // The twin: without the anchor nobody can tell.
  assert.equal((await verify(back)).code, 0);
  const shown = await verify(back, "--anchor", anchor);
  assert.equal(shown.code, 1);
  assert.match(shown.out, /the anchor knows event \d+; the history ends with \d+/);
  for (let index = 0; index < 6; index += 1) {
    await back.rootClients.sns.createTopic({ Name: `other-${index}` });
  }
  const grown = await verify(back, "--anchor", anchor);
  assert.match(grown.out, /event \d+: the history is another than the anchor knows/);
});

test("heads are posted to an address, again if it was away", async (context) => {
  const bodies: string[] = [];
  let answers = 0;
  const arrived = Promise.withResolvers<void>();
  const collector = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => bodies.push(String(chunk)));
    request.on("end", () => {
      answers += 1;
      response.writeHead(answers === 1 ? 503 : 200).end();
      if (answers > 1) arrived.resolve();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  context.after(() => collector.close());
  const { port } = collector.address() as AddressInfo;
  const auditAnchor = `http://127.0.0.1:${port}/heads`;
  await serverWithHistory(context, { auditAnchor, logLevel: "error" });
  await arrived.promise;
  const head = JSON.parse(bodies.at(-1)?.trim().split("\n").at(-1) ?? "");
  assert.equal(head.accountId, "123456789012");
});

test("pruning leaves a record, and what is left is valid from there", async (context) => {
  const server = await serverWithHistory(context, { auditRetentionDays: 10 });
  const { cloudtrail, sns } = server.rootClients;
  await server.advance(9 * 86_400);
  await sns.createTopic({ Name: "later" });
  await server.advance(2 * 86_400);
  const { Events = [] } = await cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "PruneEventHistory" }],
  });
  assert.equal(Events.length, 1);
  const record = JSON.parse(Events[0]?.CloudTrailEvent ?? "");
  assert.equal(record.eventType, "AwsServiceEvent");
  assert.ok(record.serviceEventDetails.throughNumber >= 6);
  const { out, code } = await verify(server);
  assert.equal(code, 0);
  assert.match(out, /us-east-1\t\d+ events, valid/);
  // The twin: one more taken away, and the record no longer covers what is missing.
  const lines = await tampered(server, (database) => {
    database.exec("DELETE FROM audit_events WHERE number = (SELECT min(number) FROM audit_events)");
  });
  assert.match(lines.join(), /events up to \d+ are missing/);
});

test("the number of events is bounded as well", async (context) => {
  const server = await serverWithHistory(context, { auditEventsMax: 3 });
  await server.advance(3700);
  const { out, code } = await verify(server);
  assert.equal(code, 0);
  const [, count] = /us-east-1\t(\d+) events, valid/.exec(out) ?? [];
  // Three, the record of pruning, and the act that moved the clock.
  assert.ok(Number(count) <= 5, out);
});
