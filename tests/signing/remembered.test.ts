// Goal: a signature is made once for each text, nobody waits for one that can be made later, and
// what is remembered or waits is bounded. Method: the memory over a signer whose answers the test
// holds back; the twin is a memory with no room, which signs again each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { type RememberedOptions, rememberSignatures } from "../../src/signing/remembered.ts";

interface Signing {
  readonly text: string;
  answer(): void;
  fail(): void;
}

function scene(options: Partial<RememberedOptions> = {}) {
  const begun: Signing[] = [];
  const warnings: string[] = [];
  const memory = rememberSignatures({
    signer: {
      sign: (version, text) =>
        new Promise((resolve, reject) => {
          const answer = () => resolve(`${version}(${text})`);
          begun.push({ text, answer, fail: () => reject(new Fault("store", "is away")) });
        }),
      certificateUrl: () => "https://localhost/x.pem",
      prepare: async () => {},
    },
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    ...options,
  });
  const ahead = (text: string) => memory.ahead(memory.nameOf("2", text), text);
  const texts = () => begun.map(({ text }) => text);
  return { memory, begun, warnings, ahead, texts };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const forgotten = () => assert.fail("the text was not needed");

test("many who ask for one signature share it, before and after it is made", async () => {
  const { memory, begun, texts } = scene();
  const name = memory.nameOf("2", "a");
  const first = memory.sign("2", "a");
  const second = memory.signed(name, forgotten);
  begun[0]?.answer();
  assert.deepEqual(await Promise.all([first, second]), ["2(a)", "2(a)"]);
  assert.equal(await memory.signed(name, forgotten), "2(a)");
  const other = memory.sign("1", "a");
  begun[1]?.answer();
  assert.equal(await other, "1(a)", "each version has its own");
  assert.deepEqual(texts(), ["a", "a"]);
});

test("twin: without room each asks for a signature of its own", async () => {
  const { memory, begun } = scene({ signaturesMax: 0 });
  for (const round of [1, 2]) {
    const signature = memory.sign("2", "a");
    begun.at(-1)?.answer();
    await signature;
    assert.equal(begun.length, round);
  }
});

test("ahead goes one after the other; who asks first does not stand in that line", async () => {
  const { memory, begun, ahead, texts } = scene();
  for (const text of ["a", "b", "c", "c"]) ahead(text);
  assert.deepEqual(texts(), ["a"]);
  const wanted = memory.signed(memory.nameOf("2", "c"), forgotten);
  assert.deepEqual(texts(), ["a", "c"]);
  begun[1]?.answer();
  assert.equal(await wanted, "2(c)");
  begun[0]?.answer();
  await turn();
  assert.deepEqual(texts(), ["a", "c", "b"], "nothing is signed twice");
});

test("a text behind the bounds is let go, and signed when it is asked for", async () => {
  const { memory, begun, ahead, texts } = scene({ signaturesMax: 4, waitingCharsMax: 10 });
  ahead("a");
  ahead("too long for it");
  ahead("b");
  ahead("c");
  begun[0]?.answer();
  await turn();
  begun[1]?.answer();
  await turn();
  assert.deepEqual(texts(), ["a", "b"], "half of the room is for what nobody asked for");
  const late = memory.signed(memory.nameOf("2", "c"), () => "c");
  begun[2]?.answer();
  assert.equal(await late, "2(c)");
  for (const text of ["a", "b"]) await memory.signed(memory.nameOf("2", text), forgotten);
  ahead("d");
  assert.deepEqual(texts(), ["a", "b", "c", "d"], "what was asked for makes room");
});

test("the least recently used is forgotten, and a text of another name is refused", async () => {
  const { memory, begun } = scene({ signaturesMax: 2 });
  for (const [index, text] of ["a", "b", "c"].entries()) {
    const signature = memory.sign("2", text);
    begun[index]?.answer();
    await signature;
  }
  const name = memory.nameOf("2", "a");
  await assert.rejects(
    memory.signed(name, () => "b"),
    (error) => error instanceof Fault && error.kind === "body-authentication",
  );
  const again = memory.signed(name, () => "a");
  begun[3]?.answer();
  assert.equal(await again, "2(a)");
});

test("a failure is not remembered; one ahead is logged and ends nothing", async () => {
  const { memory, begun, ahead, warnings } = scene();
  ahead("a");
  ahead("b");
  begun[0]?.fail();
  await turn();
  assert.equal(warnings.length, 1);
  begun[1]?.answer();
  const again = memory.signed(memory.nameOf("2", "a"), () => "a");
  begun[2]?.fail();
  await assert.rejects(again, Fault);
  const last = memory.sign("2", "a");
  begun[3]?.answer();
  assert.equal(await last, "2(a)");
});
