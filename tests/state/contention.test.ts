// Goal: configuration changed by many at once all comes through, and nobody's change is lost.
// Method: 100 topics at the same moment, and 40 tags put on one topic at the same moment.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

test("a hundred topics made at once", async () => {
  const { sns } = server.rootClients;
  const names = Array.from({ length: 100 }, (_, i) => `topic-${i}`);
  await Promise.all(names.map((Name) => sns.createTopic({ Name })));
  const { Topics = [] } = await sns.listTopics({});
  assert.equal(Topics.length, 100);
});

test("forty changes of one record at once are all there", async () => {
  const { sns } = server.rootClients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "tagged" });
  const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
  await Promise.all(
    keys.map((Key) => sns.tagResource({ ResourceArn: TopicArn, Tags: [{ Key, Value: "x" }] })),
  );
  const { Tags = [] } = await sns.listTagsForResource({ ResourceArn: TopicArn });
  assert.deepEqual(Tags.map(({ Key }) => Key).sort(), [...keys].sort());
});
