import type { AdminRoute } from "../gateway/admin.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Json } from "../kernel/json.ts";
import {
  listServiceCredentials,
  type MadeServiceCredential,
  makeServiceCredential,
  requireServiceCredential,
  revokeServiceCredential,
  rotateServiceCredential,
} from "../services/iam/service-credentials.ts";
import type { ServiceCredentialRecord } from "../services/iam/store.ts";
import type { AccountRoutesOptions } from "./account-routes.ts";
import { inputOf } from "./admin-input.ts";
import { change } from "./change.ts";

export interface ServiceCredentialRoutesOptions extends AccountRoutesOptions {
  /** Credentials expire by it, like all that clients hold. */
  readonly systemClock: Clock;
}

const path = "/_sealpost/service-credentials";

/** Access keys for services outside: event sources that publish as their service principal. */
export function serviceCredentialRoutes(
  options: ServiceCredentialRoutesOptions,
): readonly AdminRoute[] {
  return [createRoute(options), listRoute(options), rotateRoute(options), revokeRoute(options)];
}

function createRoute(options: ServiceCredentialRoutesOptions): AdminRoute {
  const { records, clock, systemClock, operatorAccountId } = options;
  return {
    method: "POST",
    path,
    action: "sealpost:CreateServiceCredential",
    async handle(body) {
      const input = inputOf(body);
      const seconds = input.optionalCount("expiresSeconds");
      const made = await change(records, async () =>
        makeServiceCredential(options, {
          service: input.text("service"),
          sourceAccountId: input.optionalText("sourceAccountId"),
          sourceArn: input.optionalText("sourceArn"),
          operatorAccountId,
          nowMs: clock.now(),
          expiresMs: seconds === undefined ? undefined : systemClock.now() + seconds * 1000,
        }),
      );
      return { json: { ...shownNew(made), warnings: made.warnings } };
    },
  };
}

function listRoute({ records }: ServiceCredentialRoutesOptions): AdminRoute {
  return {
    method: "GET",
    path,
    action: "sealpost:ListServiceCredentials",
    async handle() {
      const all = await listServiceCredentials(records.view());
      return { json: { serviceCredentials: all.map(shown) } };
    },
  };
}

function rotateRoute(options: ServiceCredentialRoutesOptions): AdminRoute {
  const { records, clock, systemClock } = options;
  return {
    method: "POST",
    path: `${path}/rotate`,
    action: "sealpost:RotateServiceCredential",
    async handle(body) {
      const input = inputOf(body);
      const accessKeyId = input.text("accessKeyId");
      const keep = input.optionalCount("keepSeconds");
      const untilMs = keep === undefined ? undefined : systemClock.now() + keep * 1000;
      const made = await change(records, async (view) => {
        const old = await requireServiceCredential(view, accessKeyId);
        return rotateServiceCredential(options, old, clock.now(), untilMs);
      });
      return { json: shownNew(made) };
    },
  };
}

function revokeRoute({ records }: ServiceCredentialRoutesOptions): AdminRoute {
  return {
    method: "POST",
    path: `${path}/revoke`,
    action: "sealpost:RevokeServiceCredential",
    async handle(body) {
      const accessKeyId = inputOf(body).text("accessKeyId");
      await change(records, async (view) => {
        const { service } = await requireServiceCredential(view, accessKeyId);
        return { service, commands: revokeServiceCredential(accessKeyId) };
      });
      return { json: { accessKeyId, revoked: true } };
    },
  };
}

function shownNew({ record, secretAccessKey }: Omit<MadeServiceCredential, "warnings">) {
  const { service, accessKeyId } = record;
  return { service, accessKeyId, secretAccessKey };
}

function shown(record: Readonly<ServiceCredentialRecord>): Json {
  const { service, accessKeyId, sourceAccountId, sourceArn, createdMs, expiresMs } = record;
  return {
    service,
    accessKeyId,
    sourceAccountId,
    sourceArn: sourceArn === "" ? null : sourceArn,
    createdAt: new Date(createdMs).toISOString(),
    expiresAt: expiresMs === undefined ? null : new Date(expiresMs).toISOString(),
  };
}
