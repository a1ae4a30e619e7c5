import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { type Answer, accountA, type Bed, createBed, refused, region, startMs } from "./kms-bed.ts";

// Goal: names, tags and pages behave as KMS's do, refusals in its words.
// Method: the operations behind the real pipeline; expected answers and texts are typed here.

const aliasArnOf = (name: string) => `arn:aws:kms:${region}:${accountA}:${name}`;

test("aliases: rules of names, one key each, moves, lists", async () => {
  const bed = await createBed();
  const [one, two] = [await newKey(bed), await newKey(bed)];
  const create = (AliasName: string, TargetKeyId = one) =>
    bed.kms("CreateAlias", { AliasName, TargetKeyId });
  const prefix =
    'Alias must start with the prefix "alias/". Please see ' +
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
  await refused(create("plain"), "ValidationException", prefix);
  const colon = "alias/a:b contains invalid characters for an alias";
  await refused(create("alias/a:b"), "ValidationException", colon);
  await refused(create("alias/aws/sns"), "NotAuthorizedException", "");
  const target = "Aliases must refer to keys. Not aliases";
  await refused(create("alias/b", "alias/aws/sns"), "ValidationException", target);
  await create("alias/b");
  const exists = `An alias with the name ${aliasArnOf("alias/b")} already exists`;
  await refused(create("alias/b", two), "AlreadyExistsException", exists);
  await create("alias/c");
  bed.clock.nowMs += 1000;
  await bed.kms("UpdateAlias", { AliasName: "alias/b", TargetKeyId: two });
  const dates = (created: number, updated: number) => ({
    CreationDate: created,
    LastUpdatedDate: updated,
  });
  const entry = (name: string, key: string, updated: number) => ({
    AliasName: name,
    AliasArn: aliasArnOf(name),
    TargetKeyId: key,
    ...dates(startMs, updated),
  });
  const reserved = ["alias/aws/sns", "alias/aws/sqs"].map((name) => ({
    AliasName: name,
    AliasArn: aliasArnOf(name),
  }));
  const b = entry("alias/b", two, startMs + 1000);
  const c = entry("alias/c", one, startMs);
  deepEqual(await bed.kms("ListAliases", {}), { Aliases: [...reserved, b, c], Truncated: false });
  deepEqual(await bed.kms("ListAliases", { KeyId: two }), { Aliases: [b], Truncated: false });
  await refused(
    bed.kms("DeleteAlias", { AliasName: "plain" }),
    "ValidationException",
    "Invalid identifier",
  );
  await bed.kms("DeleteAlias", { AliasName: "alias/b" });
  deepEqual(await bed.kms("ListAliases", { KeyId: two }), { Aliases: [], Truncated: false });
  const gone = bed.kms("DeleteAlias", { AliasName: "alias/b" });
  await refused(gone, "NotFoundException", `Alias ${aliasArnOf("alias/b")} is not found.`);
});

test("a key has at most fifty aliases", async () => {
  const bed = await createBed();
  const TargetKeyId = await newKey(bed);
  for (let n = 0; n < 50; n++)
    await bed.kms("CreateAlias", { AliasName: `alias/${n}`, TargetKeyId });
  const more = bed.kms("CreateAlias", { AliasName: "alias/50", TargetKeyId });
  await refused(more, "LimitExceededException", /50 aliases/);
});

test("lists come in pages; a marker works only where it was given out", async () => {
  const bed = await createBed();
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push(await newKey(bed));
  const seen: string[] = [];
  let Marker: string | undefined;
  do {
    const page: Answer = await bed.kms("ListKeys", { Limit: 2, Marker });
    seen.push(...(page.Keys as { KeyId: string }[]).map((key) => key.KeyId));
    Marker = page.NextMarker as string | undefined;
    equal(page.Truncated, Marker !== undefined);
  } while (Marker !== undefined);
  deepEqual(seen, ids.toSorted());
  const first = await bed.kms("ListKeys", { Limit: 2 });
  const foreign = bed.kms("ListAliases", { Marker: first.NextMarker });
  await refused(foreign, "InvalidMarkerException", /marker/);
  await refused(bed.kms("ListKeys", { Marker: "???" }), "InvalidMarkerException", /marker/);
  const names: string[] = [];
  for (let n = 0; n < 3; n++) {
    await bed.kms("CreateAlias", { AliasName: `alias/a${n}`, TargetKeyId: ids[0] });
  }
  Marker = undefined;
  do {
    const page: Answer = await bed.kms("ListAliases", { Limit: 2, Marker });
    names.push(...(page.Aliases as { AliasName: string }[]).map((alias) => alias.AliasName));
    Marker = page.NextMarker as string | undefined;
  } while (Marker !== undefined);
  deepEqual(names, ["alias/a0", "alias/a1", "alias/a2", "alias/aws/sns", "alias/aws/sqs"]);
});

test("tags: overwritten, removed, counted, never aws:", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const tag = (Tags: object[]) => bed.kms("TagResource", { KeyId, Tags });
  await tag([
    { TagKey: "__proto__", TagValue: "1" },
    { TagKey: "b", TagValue: "" },
  ]);
  await tag([{ TagKey: "b", TagValue: "2" }]);
  await bed.kms("UntagResource", { KeyId, TagKeys: ["none"] });
  const both = [
    { TagKey: "__proto__", TagValue: "1" },
    { TagKey: "b", TagValue: "2" },
  ];
  deepEqual(await bed.kms("ListResourceTags", { KeyId }), { Tags: both, Truncated: false });
  const one = await bed.kms("ListResourceTags", { KeyId, Limit: 1 });
  deepEqual([one.Tags, one.Truncated], [both.slice(0, 1), true]);
  const rest = await bed.kms("ListResourceTags", { KeyId, Limit: 1, Marker: one.NextMarker });
  deepEqual(rest, { Tags: both.slice(1), Truncated: false });
  await bed.kms("UntagResource", { KeyId, TagKeys: ["__proto__", "b"] });
  deepEqual(await bed.kms("ListResourceTags", { KeyId }), { Tags: [], Truncated: false });
  const code = "TagException";
  await refused(
    tag([{ TagKey: "AWS:x", TagValue: "" }]),
    code,
    "Tags beginning with aws: are reserved",
  );
  const twice = [
    { TagKey: "a", TagValue: "1" },
    { TagKey: "a", TagValue: "2" },
  ];
  await refused(tag(twice), code, "Duplicate tag keys");
  const many = Array.from({ length: 51 }, (_, n) => ({ TagKey: `k${n}`, TagValue: "" }));
  await tag(many.slice(0, 50));
  await refused(tag(many), code, "Too many tags");
  await refused(bed.kms("CreateKey", { Tags: many }), code, "Too many tags");
});

async function newKey(bed: Bed): Promise<string> {
  return String(((await bed.kms("CreateKey", {})).KeyMetadata as Answer).KeyId);
}
