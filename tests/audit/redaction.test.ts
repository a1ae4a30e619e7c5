// Goal: no body, key or secret reaches an audit record, and nothing that an operation does not name.
// Method: every operation of every service gets an input and an output with a canary in each field
// that its model has; the record may hold those of fields on the operation's allow-list only.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createAuditor } from "../../src/audit/auditor.ts";
import type { AuditModel, AuditShape } from "../../src/audit/shapes.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import type { AnyOperation, ServiceTable } from "../../src/kernel/operation.ts";
import { createCloudtrail } from "../../src/services/cloudtrail/service.ts";
import type { AppendEvents } from "../../src/services/cloudtrail/store.ts";
import { createIam } from "../../src/services/iam/service.ts";
import { createKms } from "../../src/services/kms/service.ts";
import { createSns } from "../../src/services/sns/service.ts";
import { createSqs } from "../../src/services/sqs/service.ts";
import { createSts } from "../../src/services/sts/service.ts";
import { finishedCall } from "./finished.ts";

/** Ports that are never asked: only the operations' audit rules are looked at. */
const unused = new Proxy({}, { get: () => () => undefined }) as never;

const tables: readonly ServiceTable[] = [
  createKms(unused),
  createIam(unused),
  createSts(unused),
  createSns(unused),
  createSqs(unused).table,
  createCloudtrail(unused),
];

const models = new Map(
  tables.map(({ name }): [string, AuditModel] => [
    name,
    JSON.parse(readFileSync(new URL(`../../models/${name}.json`, import.meta.url), "utf8")),
  ]),
);

const auditor = createAuditor({
  random: systemRandom,
  clock: { now: () => Date.UTC(2026, 0, 2), at: () => () => {} },
  models,
  trails: { of: async () => [] },
});

/** A canary and where it was put; `text` is looked for in the record. */
interface Canary {
  readonly path: readonly string[];
  readonly text: string;
  readonly secret: boolean;
}

/** AWS: what CloudTrail never shows, by the name of the field. */
const neverShown =
  /^(Plaintext|.*Ciphertext.*|PrivateKey.*|(?!Include).*KeyMaterial|ImportToken|Mac|Signature|Message|MessageBody|Subject|StringValue|BinaryValue|SecretAccessKey|SessionToken|GrantTokens?|Token|Body|Password)$/;

let planted = 0;

function plant(
  model: AuditModel,
  shapeName: string,
  path: readonly string[],
  canaries: Canary[],
): unknown {
  const shape: AuditShape | undefined = model.shapes[shapeName];
  // The texts of failed entries are the service's own.
  const names = path.includes("Failed") ? [] : path.slice(1);
  const secret = shape?.sensitive === true || names.some((name) => neverShown.test(name));
  planted += 1;
  const put = (text: string, isSecret = secret): string => {
    canaries.push({ path, text, secret: isSecret });
    return text;
  };
  switch (shape?.type ?? shapeName.toLowerCase()) {
    case "structure":
      return Object.fromEntries(
        Object.entries(shape?.members ?? {}).map(([name, member]) => [
          name,
          plant(model, member.shape, [...path, name], canaries),
        ]),
      );
    case "list":
      return [plant(model, shape?.item ?? "", path, canaries)];
    case "map":
      return Object.assign(Object.create(null), {
        [put(`canarykey${planted}x`)]: plant(model, shape?.value ?? "", path, canaries),
      });
    case "blob": {
      const bytes = Buffer.from(put(`canaryblob${planted}x`, true));
      canaries.push({ path, text: bytes.toString("base64"), secret: true });
      canaries.push({ path, text: JSON.stringify([...bytes]).slice(1, -1), secret: true });
      return bytes;
    }
    case "boolean":
      return true;
    case "string":
      return put(`canary${planted}x`);
    default:
      return Number(put(String(7_000_000_000_000 + planted)));
  }
}

function plantAll(model: AuditModel, shapeName: string | undefined, side: string) {
  const canaries: Canary[] = [];
  const value = shapeName === undefined ? {} : plant(model, shapeName, [side], canaries);
  return { value: value as object, canaries };
}

/** Whether an operation may show a field; a rule that is a function speaks for itself. */
function mayShow(operation: AnyOperation, { path, secret }: Canary): boolean {
  if (secret) return false;
  const [side, member = ""] = path;
  const rule = side === "input" ? operation.audit.request : operation.audit.response;
  if (rule === undefined) return false;
  return typeof rule === "function" || rule.includes(member);
}

/** Data events are not recorded yet; their rules must hold all the same. */
function asManagement(operation: AnyOperation): AnyOperation {
  return { ...operation, audit: { ...operation.audit, category: "management" } };
}

function recordIn(command: AppendEvents | undefined): string {
  return command?.events[0]?.record.join("") ?? "";
}

for (const table of tables) {
  test(`records of ${table.name} hold what its operations name`, async () => {
    const model = models.get(table.name);
    assert.ok(model);
    assert.ok(table.operations.size > 0);
    for (const operation of table.operations.values()) {
      const shapes = model.operations[operation.name];
      const input = plantAll(model, shapes?.input, "input");
      const output = plantAll(model, shapes?.output, "output");
      const finished = finishedCall({
        table,
        operation: asManagement(operation),
        input: input.value,
        result: { outcome: { output: output.value } },
      });
      const record = recordIn(await auditor.record(finished));
      assert.ok(record.includes(operation.name));
      const shown = [...input.canaries, ...output.canaries].filter(
        (canary) => record.includes(canary.text) && !mayShow(operation, canary),
      );
      assert.deepEqual(shown, [], `${table.name}:${operation.name} shows too much`);
    }
  });
}

test("the canaries are found where a rule names a secret and no model guards it", async () => {
  const table = tables.find(({ name }) => name === "sns");
  const publish = table?.operations.get("Publish");
  const model = models.get("sns");
  assert.ok(table && publish && model);
  const input = plantAll(model, "PublishInput", "input");
  const careless = { ...publish.audit, category: "management" as const, request: ["Message"] };
  const finished = finishedCall({
    table,
    operation: { ...publish, audit: careless },
    input: input.value,
    result: { outcome: { output: {} } },
  });
  const record = recordIn(await auditor.record(finished));
  const message = input.canaries.find(({ path }) => path[1] === "Message");
  assert.ok(message && record.includes(message.text) && message.secret);
});

test("allow-lists name members that exist", () => {
  for (const table of tables) {
    const model = models.get(table.name);
    for (const { name, audit } of table.operations.values()) {
      const shapes = model?.operations[name];
      for (const [rule, shape] of [
        [audit.request, shapes?.input],
        [audit.response, shapes?.output],
      ] as const) {
        if (rule === undefined || typeof rule === "function") continue;
        const members = Object.keys(model?.shapes[shape ?? ""]?.members ?? {});
        const foreign = rule.filter((member: string) => !members.includes(member));
        assert.deepEqual(foreign, [], `${table.name}:${name}`);
      }
    }
  }
});

test("operations that hand out secrets wait for their record", () => {
  const handing =
    /^kms:(Decrypt|GenerateDataKey(Pair)?|GenerateRandom|DeriveSharedSecret)$|^iam:CreateAccessKey$|^sts:(AssumeRole.*|GetSessionToken|GetFederationToken)$/;
  const seen = tables.flatMap((table) =>
    [...table.operations.values()].map(({ name, audit }) => ({
      name: `${table.name}:${name}`,
      secret: audit.secret === true,
    })),
  );
  const careless = seen.filter(({ name, secret }) => handing.test(name) && !secret);
  assert.deepEqual(
    careless.map(({ name }) => name),
    [],
  );
  for (const name of [
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "iam:CreateAccessKey",
    "sts:AssumeRole",
  ]) {
    assert.ok(
      seen.some((one) => one.name === name && one.secret),
      name,
    );
  }
});
