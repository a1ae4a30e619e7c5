// Goal: configuration that was edited in the database file fails closed: the request that needs the
// edited record is refused, and everyone else is served. Method: one installation is copied for
// each edit, edited with node:sqlite while stopped, and started. The twins: the copy without an
// edit works, and an edit of what no MAC covers is not noticed.
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { bodies, path, refuses } from "../encryption/scene.ts";
import type { TestServer } from "../harness/server.ts";
import { type Installation, newInstallation, tampered } from "./scene.ts";

let at: Installation;
before(async () => {
  at = await newInstallation();
});
after(() => at.remove());

const notAuthentic = (kind: string) => new RegExp(`stored record ${kind} .*is not authentic`);
const send = ({ rootClients: { sqs } }: TestServer, { url }: { url: string }) =>
  sqs.sendMessage({ QueueUrl: path(url), MessageBody: "new" });

/** Replaces text in the content of one record; it must be there. */
function replaceIn(
  database: DatabaseSync,
  kind: string,
  id: string,
  from: string,
  to: string,
): void {
  const { changes } = database
    .prepare(
      `UPDATE records SET content = replace(content, ?, ?)
        WHERE kind = ? AND id = ? AND instr(content, ?) > 0`,
    )
    .run(from, to, kind, id, from);
  assert.equal(Number(changes), 1, `${kind} ${id} holds ${from}`);
}

/** Others are served: another key, another queue, another user. */
async function othersAreServed(server: TestServer): Promise<void> {
  assert.deepEqual(await bodies(server.rootClients, at.other), ["o1"]);
  assert.deepEqual(await bodies(server.rootClients, at.plain), ["p1", "p2"]);
  await send(server, at.other);
  await server.rootClients.sts.getCallerIdentity({});
}

test("the twin: a copy that nobody edited serves everything", async () => {
  await tampered(
    at,
    () => {},
    async (server) => {
      assert.deepEqual(await bodies(server.rootClients, at.victim), ["v1", "v2"]);
      await send(server, at.victim);
      await server.clients(at.poor).sqs.listQueues({});
      const inactive = server.clients(at.inactive).sqs.listQueues({});
      await refuses(inactive, "InvalidClientTokenId");
      await othersAreServed(server);
    },
  );
});

test("a key policy that lets anyone in", async () => {
  const edit = (database: DatabaseSync) =>
    replaceIn(
      database,
      "kms.key",
      at.victimKey.id,
      `iam::${at.accountId}:root`,
      "iam::999999999999:root",
    );
  await tampered(at, edit, async (server) => {
    const { kms } = server.rootClients;
    const told = notAuthentic("kms.key");
    const KeyId = at.victimKey.id;
    await refuses(kms.describeKey({ KeyId }), "InternalFailure", told, 500);
    await refuses(kms.generateDataKey({ KeyId, NumberOfBytes: 32 }), "InternalFailure", told, 500);
    await refuses(send(server, at.victim), "InternalFailure", told, 500);
    await refuses(bodies(server.rootClients, at.victim), "InternalFailure", told, 500);
    const counts = await server.rootClients.sqs.getQueueAttributes({
      QueueUrl: path(at.victim.url),
      AttributeNames: ["All"],
    });
    assert.equal(counts.Attributes?.ApproximateNumberOfMessages, "2", "the claim was undone");
    await othersAreServed(server);
  });
});

test("a key that was enabled, or saved from deletion, by hand", async () => {
  const edit = (database: DatabaseSync) =>
    replaceIn(database, "kms.key", at.victimKey.id, '"state":"Enabled"', '"state":"Disabled"');
  await tampered(at, edit, async (server) => {
    await refuses(send(server, at.victim), "InternalFailure", notAuthentic("kms.key"), 500);
    await othersAreServed(server);
  });
});

test("a user's policy that allows more", async () => {
  const edit = (database: DatabaseSync) => {
    const { changes } = database
      .prepare(
        `UPDATE records SET content = replace(content, 'sqs:ListQueues', '*')
          WHERE kind LIKE 'iam.user%' AND instr(content, 'sqs:ListQueues') > 0`,
      )
      .run();
    assert.equal(Number(changes), 1);
  };
  await tampered(at, edit, async (server) => {
    const poor = server.clients(at.poor);
    await refuses(poor.sqs.listQueues({}), "InternalFailure", notAuthentic("iam.user"), 500);
    await refuses(poor.kms.listKeys({}), "InternalFailure", notAuthentic("iam.user"), 500);
    await othersAreServed(server);
  });
});

test("an access key made active, or given to another user", async () => {
  const id = () => at.inactive.accessKeyId;
  const activate = (database: DatabaseSync) =>
    replaceIn(database, "iam.access-key", id(), "Inactive", "Active");
  await tampered(at, activate, async (server) => {
    const told = notAuthentic("iam.access-key");
    await refuses(server.clients(at.inactive).sqs.listQueues({}), "InternalFailure", told, 500);
    await server.clients(at.poor).sqs.listQueues({});
    await othersAreServed(server);
  });
  const swap = (database: DatabaseSync) => {
    const of = database.prepare("SELECT content, mac, version FROM records WHERE id = ?");
    const row = of.get(at.poor.accessKeyId);
    assert.ok(row);
    database
      .prepare("UPDATE records SET content = ?, mac = ?, version = ? WHERE id = ?")
      .run(row.content ?? "", row.mac ?? "", row.version ?? 0, id());
  };
  await tampered(at, swap, async (server) => {
    const told = notAuthentic("iam.access-key");
    await refuses(server.clients(at.inactive).sqs.listQueues({}), "InternalFailure", told, 500);
  });
});

test("a queue without its encryption, an alias at another key, a topic with another policy", async () => {
  const queue = (database: DatabaseSync) =>
    replaceIn(database, "sqs.queue", "victim", "KmsMasterKeyId", "KmsMasterKeyIx");
  await tampered(at, queue, async (server) => {
    const told = notAuthentic("sqs.queue");
    await refuses(send(server, at.victim), "InternalFailure", told, 500);
    await refuses(bodies(server.rootClients, at.victim), "InternalFailure", told, 500);
    await othersAreServed(server);
  });
  const alias = (database: DatabaseSync) =>
    replaceIn(database, "kms.alias", "alias/victim", at.victimKey.id, at.otherKey.id);
  await tampered(at, alias, async (server) => {
    await refuses(send(server, at.victim), "InternalFailure", notAuthentic("kms.alias"), 500);
    assert.deepEqual(await bodies(server.rootClients, at.victim), ["v1", "v2"], "need no alias");
    await othersAreServed(server);
  });
  const topic = (database: DatabaseSync) =>
    replaceIn(database, "sns.topic", "topic", "AWS:SourceOwner", "AWS:SourceOwnex");
  await tampered(at, topic, async ({ rootClients: { sns } }) => {
    const publish = (TopicArn: string) => sns.publish({ TopicArn, Message: "m" });
    await refuses(publish(at.topic), "InternalFailure", notAuthentic("sns.topic"), 500);
    await publish(at.otherTopic);
  });
});

test("a queue's record under another name, in another region, with another version", async () => {
  const edits = {
    "another name": "UPDATE records SET id = 'renamed' WHERE kind = 'sqs.queue' AND id = 'victim'",
    "another region":
      "UPDATE records SET region = 'eu-west-1' WHERE kind = 'sqs.queue' AND id = 'victim'",
    "another version":
      "UPDATE records SET version = version - 1 WHERE kind = 'sqs.queue' AND id = 'victim'",
    "another's content":
      "UPDATE records SET (content, mac, version) = " +
      "(SELECT content, mac, version FROM records WHERE kind = 'sqs.queue' AND id = 'plain') " +
      "WHERE kind = 'sqs.queue' AND id = 'victim'",
  };
  for (const [what, sql] of Object.entries(edits)) {
    const edit = (database: DatabaseSync) => {
      assert.equal(Number(database.prepare(sql).run().changes), 1);
    };
    await tampered(at, edit, async (server) => {
      const region = what === "another region" ? "eu-west-1" : "us-east-1";
      const name = what === "another name" ? "renamed" : "victim";
      const { sqs } = server.clients(server.root, { region });
      const QueueUrl = `/${at.accountId}/${name}`;
      const call = sqs.sendMessage({ QueueUrl, MessageBody: "m" });
      await refuses(call, "InternalFailure", notAuthentic("sqs.queue"), 500);
      await othersAreServed(server);
    });
  }
});

test("a flipped byte anywhere in a record, its MAC included", async () => {
  const columns = ["content", "mac"];
  for (const column of columns) {
    const edit = (database: DatabaseSync) => {
      const of = `FROM records WHERE kind = 'kms.key' AND id = '${at.victimKey.id}'`;
      const row = database.prepare(`SELECT CAST(${column} AS BLOB) AS bytes ${of}`).get();
      const bytes = Buffer.from(row?.bytes as Uint8Array);
      // A letter of the content stays a letter: JSON and UTF-8 still hold.
      const place = column === "content" ? bytes.indexOf("Enabled") : bytes.length >> 1;
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
      const value = column === "content" ? bytes.toString() : bytes;
      const sql = `UPDATE records SET ${column} = ? WHERE kind = 'kms.key' AND id = ?`;
      database.prepare(sql).run(value, at.victimKey.id);
    };
    await tampered(at, edit, async (server) => {
      await refuses(send(server, at.victim), "InternalFailure", notAuthentic("kms.key"), 500);
      await othersAreServed(server);
    });
  }
});

test("what the server itself stands on: it does not start, and says why", async () => {
  const start = (edit: (database: DatabaseSync) => unknown) =>
    tampered(at, edit, async () => "started");
  const flip = (bytes: unknown) => {
    const copy = Buffer.from(bytes as Uint8Array);
    copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
    return copy;
  };
  const ring = (database: DatabaseSync) => {
    const row = database.prepare("SELECT value FROM meta WHERE name = 'key-ring'").get();
    database.prepare("UPDATE meta SET value = ? WHERE name = 'key-ring'").run(flip(row?.value));
  };
  await assert.rejects(start(ring), /ring|seal|root key/i);
  const owned = (database: DatabaseSync) =>
    database.prepare("UPDATE records SET mac = zeroblob(32) WHERE kind = 'installation.key'").run();
  await assert.rejects(start(owned), notAuthentic("installation.key"));
  const account = (database: DatabaseSync) =>
    database.prepare("UPDATE records SET mac = zeroblob(32) WHERE kind = 'iam.account'").run();
  await assert.rejects(start(account), notAuthentic("iam.account"));
});
