import { unlinkSync } from "node:fs";
import { credentialsPath, writeCredentialsFile } from "../cli/credentials-file.ts";
import type { AdminRoute } from "../gateway/admin.ts";
import { readFileIfThere } from "../gateway/files.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import {
  listAccounts,
  newAccountId,
  putAccount,
  requireAccount,
} from "../services/iam/accounts.ts";
import { createRootCredential, disableRoot, rotateRoot } from "../services/iam/root.ts";
import type { RecordCache } from "../state/record-cache.ts";
import { inputOf } from "./admin-input.ts";
import { change } from "./change.ts";

export interface AccountRoutesOptions {
  readonly records: RecordCache;
  readonly secrets: SecretBox;
  readonly random: Random;
  readonly clock: Clock;
  readonly operatorAccountId: string;
  readonly dataFolder: string;
}

/** Accounts of the installation and their root credentials. */
export function accountRoutes(options: AccountRoutesOptions): readonly AdminRoute[] {
  return [
    createAccountRoute(options),
    listAccountsRoute(options),
    kmsOptInRoute(options),
    rotateRootRoute(options),
    disableRootRoute(options),
  ];
}

function createAccountRoute(options: AccountRoutesOptions): AdminRoute {
  const { records, random, secrets, clock } = options;
  return {
    method: "POST",
    path: "/_sealpost/accounts",
    action: "sealpost:CreateAccount",
    async handle(body) {
      const name = inputOf(body).text("name");
      const root = await change(records, async (view) => {
        const accountId = await newAccountId(view, random, name);
        const nowMs = clock.now();
        return createRootCredential({ random, secrets }, { accountId, name, nowMs });
      });
      const { accountId, accessKeyId, secretAccessKey } = root;
      return { json: { accountId, accessKeyId, secretAccessKey } };
    },
  };
}

function listAccountsRoute({ records, operatorAccountId }: AccountRoutesOptions): AdminRoute {
  return {
    method: "GET",
    path: "/_sealpost/accounts",
    action: "sealpost:ListAccounts",
    async handle() {
      const all = await listAccounts(records.view());
      const shown = all.map(({ accountId, name, createdMs, kmsOptOut, alias }) => ({
        accountId,
        name,
        alias: alias ?? null,
        createdAt: new Date(createdMs).toISOString(),
        operator: accountId === operatorAccountId,
        kmsOptIn: kmsOptOut !== true,
      }));
      return { json: { accounts: shown } };
    },
  };
}

function kmsOptInRoute({ records }: AccountRoutesOptions): AdminRoute {
  return {
    method: "POST",
    path: "/_sealpost/accounts/kms-opt-in",
    action: "sealpost:SetKmsOptIn",
    async handle(body) {
      const input = inputOf(body);
      const accountId = input.text("accountId");
      const on = input.flag("on");
      await change(records, async (view) => {
        const { kmsOptOut: _, ...account } = await requireAccount(view, accountId);
        return { commands: [putAccount(on ? account : { ...account, kmsOptOut: true })] };
      });
      return { json: { accountId, kmsOptIn: on } };
    },
  };
}

function rotateRootRoute(options: AccountRoutesOptions): AdminRoute {
  const { records, random, secrets, clock, operatorAccountId, dataFolder } = options;
  return {
    method: "POST",
    path: "/_sealpost/root-credentials/rotate",
    action: "sealpost:RotateRootCredentials",
    async handle(body) {
      const wanted = inputOf(body).optionalText("accountId") ?? operatorAccountId;
      const root = await change(records, async (view) =>
        rotateRoot({ random, secrets }, await requireAccount(view, wanted), clock.now()),
      );
      const { accountId, accessKeyId, secretAccessKey } = root;
      if (accountId === operatorAccountId) writeCredentialsFile(dataFolder, root);
      return { json: { accountId, accessKeyId, secretAccessKey } };
    },
  };
}

function disableRootRoute(options: AccountRoutesOptions): AdminRoute {
  const { records, clock, operatorAccountId, dataFolder } = options;
  return {
    method: "POST",
    path: "/_sealpost/root-credentials/disable",
    action: "sealpost:DisableRootCredentials",
    async handle(body) {
      const accountId = inputOf(body).optionalText("accountId") ?? operatorAccountId;
      await change(records, async (view) => {
        const account = await requireAccount(view, accountId);
        return { commands: await disableRoot(view, account, clock.now()) };
      });
      const file = credentialsPath(dataFolder);
      // What the file held no longer opens anything.
      if (accountId === operatorAccountId && readFileIfThere(file) !== undefined) unlinkSync(file);
      return { json: { accountId, disabled: true } };
    },
  };
}
