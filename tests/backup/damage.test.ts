// Goal: a backup that was cut off, changed, put together anew or made for somebody else is refused
// with a text that says so, before a restore writes anything. Method: damage one real backup at
// every kind of place; the twin is the same file undamaged, which restores.
import { equal, match, ok } from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { decodeHeader } from "../../src/backup/header.ts";
import { done, queueUrlOn, receiveAll, sealpost, start, startRestored, withKey } from "./scene.ts";

interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** Where the chunks of the payload are; their framing can be read without a key. */
function chunksOf(bytes: Buffer, from: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = from; start < bytes.length; ) {
    const end = start + 4 + (bytes.readUInt32BE(start) & 0x7fff_ffff);
    chunks.push({ start, end });
    start = end;
  }
  return chunks;
}

async function backupOf(t: TestContext) {
  const { place, key } = await withKey(t, "file");
  const server = await start(t);
  const { QueueUrl = "" } = await server.rootClients.sqs.createQueue({ QueueName: "q" });
  const bodies = Array.from({ length: 8 }, (_, n) => `${n} `.padEnd(200_000, "x"));
  for (const MessageBody of bodies) {
    await server.rootClients.sqs.sendMessage({ QueueUrl, MessageBody });
  }
  const file = join(place, "b");
  await done(["backup", file, "--backup-key", key, "--data", server.dataFolder]);
  await server.halt();
  return { place, key, server, file, bodies, QueueUrl, bytes: readFileSync(file) };
}

test("every damage is told before anything is written", async (t) => {
  const { place, key, file, bytes, server, bodies, QueueUrl } = await backupOf(t);
  const header = decodeHeader(bytes);
  ok(header);
  const chunks = chunksOf(bytes, header.bytes);
  const [first, second] = chunks;
  ok(first && second && chunks.length > 4, `${chunks.length} chunks`);
  const flipped = (at: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const cut = (end: number) => bytes.subarray(0, end);
  const last = chunks.at(-1)?.start ?? 0;
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ["empty", cut(0), /cut off within its header/],
    ["not a backup", Buffer.from("hello, this is no backup"), /no backup of Sealpost/],
    ["cut in the header", cut(header.bytes - 10), /cut off within its header/],
    ["cut after the header", cut(header.bytes), /cut off: its end is missing/],
    ["cut in a chunk", cut(second.end - 7), /cut off: its end is missing/],
    ["cut between chunks", cut(second.end), /cut off: its end is missing/],
    ["without its last chunk", cut(last), /cut off: its end is missing/],
    ["one byte less", cut(bytes.length - 1), /cut off: its end is missing/],
    ["something after the end", Buffer.concat([bytes, Buffer.from("x")]), /end is missing|after/],
    ["a flipped bit in the header", flipped(200), /header|does not open|backup key|damaged/],
    ["a flipped bit in its MAC", flipped(header.bytes - 1), /header of the backup was changed/],
    ["a flipped bit in a length", flipped(second.start + 2), /changed, moved or left out|cut off/],
    ["a flipped bit in a body", flipped(second.start + 100), /changed, moved or left out/],
    ["a flipped bit at the end", flipped(bytes.length - 1), /changed, moved or left out/],
    [
      "a chunk left out",
      Buffer.concat([bytes.subarray(0, first.end), bytes.subarray(second.end)]),
      /changed, moved or left out/,
    ],
    [
      "two chunks exchanged",
      Buffer.concat([
        bytes.subarray(0, first.start),
        bytes.subarray(second.start, second.end),
        bytes.subarray(first.start, first.end),
        bytes.subarray(second.end),
      ]),
      /changed, moved or left out/,
    ],
  ];
  for (const [name, damaged, reason] of cases) {
    const path = join(place, "damaged");
    writeFileSync(path, damaged);
    const target = join(place, "target");
    const { code, err } = await sealpost(["restore", path, "--data", target, "--backup-key", key]);
    equal(code, 1, name);
    match(err, reason, name);
    equal(existsSync(target), false, `${name}: nothing was written`);
  }
  const target = join(place, "target");
  await done(["restore", file, "--data", target, "--backup-key", key]);
  const again = await startRestored(t, target, server.root);
  equal((await receiveAll(again, queueUrlOn(again, QueueUrl))).length, bodies.length);
});

test("the header of one backup does not fit the payload of another", async (t) => {
  const { place, key } = await withKey(t);
  const server = await start(t);
  const [one, other] = [join(place, "1"), join(place, "2")];
  await done(["backup", one, "--backup-key", key, "--data", server.dataFolder]);
  await done(["backup", other, "--backup-key", key, "--data", server.dataFolder]);
  const [a, b] = [readFileSync(one), readFileSync(other)];
  const [head, tail] = [decodeHeader(a)?.bytes, decodeHeader(b)?.bytes];
  const mixed = join(place, "mixed");
  writeFileSync(mixed, Buffer.concat([a.subarray(0, head), b.subarray(tail)]));
  const { code, err } = await sealpost(["backup", "verify", mixed]);
  equal(code, 1);
  match(err, /changed, moved or left out/);
  await done(["backup", "verify", one]);
});
