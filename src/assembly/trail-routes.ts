import type { AdminRoute } from "../gateway/admin.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import { anchoredHead } from "../trails/anchor.ts";
import { parseHead } from "../trails/form.ts";
import type { AnchoredHead } from "../trails/history.ts";
import type { Trails } from "./trails.ts";

export interface TrailRoutesOptions {
  readonly trails: Trails;
  /** Runs while nothing is delivered. */
  readonly alone: <T>(act: () => Promise<T>) => Promise<T>;
}

/**
 * `POST /_sealpost/verify-trail {anchors?}`: checks the event history and all trails. `POST
 * /_sealpost/trails/data-key {head}`: opens the data key of a file under the installation's key,
 * for `sealpost trail cat`.
 */
export function trailRoutes({ trails, alone }: TrailRoutesOptions): readonly AdminRoute[] {
  return [
    {
      method: "POST",
      path: "/_sealpost/verify-trail",
      action: "sealpost:VerifyTrail",
      async handle(input) {
        const anchors = readAnchors(input);
        const report = await alone(() => trails.verify(anchors));
        return { json: report as unknown as Json };
      },
    },
    {
      method: "POST",
      path: "/_sealpost/trails/data-key",
      action: "sealpost:ReadTrail",
      async handle(input) {
        const head = parseHead(Reflect.get(Object(input), "head"));
        const dataKey = head && (await trails.sealing.ownedDataKey(head));
        if (!dataKey) {
          throw new Refusal("InvalidRequest", "no key of this installation sealed that file", {
            status: 400,
          });
        }
        try {
          return { json: { dataKey: dataKey.toString("base64") } };
        } finally {
          dataKey.fill(0);
        }
      },
    },
  ];
}

function readAnchors(input: Json | undefined): readonly AnchoredHead[] {
  const given: unknown = Reflect.get(Object(input), "anchors") ?? [];
  const heads = Array.isArray(given) ? given.map(anchoredHead) : [undefined];
  const sound = heads.filter((head) => head !== undefined);
  if (sound.length === heads.length) return sound;
  throw new Refusal("InvalidRequest", "anchors are a list of heads", { status: 400 });
}
