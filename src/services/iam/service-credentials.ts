import { parseArn } from "../../kernel/arn.ts";
import type { Command } from "../../kernel/command.ts";
import type { RecordView } from "../../kernel/records.ts";
import { accessKeyRecord, putAccessKey } from "./access-keys.ts";
import { operatorError } from "./accounts.ts";
import type { IamDependencies } from "./dependencies.ts";
import { newAccessKeyId, newSecretAccessKey } from "./identifiers.ts";
import { requireOutsideService } from "./service-principals.ts";
import {
  accessKeys,
  installation,
  type ServiceCredentialRecord,
  serviceCredentials,
} from "./store.ts";

export interface NewServiceCredential {
  readonly service: string;
  /** Default: the account in the source ARN, else the operator's. */
  readonly sourceAccountId?: string | undefined;
  readonly sourceArn?: string | undefined;
  readonly operatorAccountId: string;
  /** Service time. */
  readonly nowMs: number;
  /** System time. */
  readonly expiresMs?: number | undefined;
}

export interface MadeServiceCredential {
  readonly record: ServiceCredentialRecord;
  /** Shown once. */
  readonly secretAccessKey: string;
  readonly warnings: readonly string[];
  readonly commands: readonly Command[];
}

/** An access key that calls as a service. Throws InvalidRequest. */
export function makeServiceCredential(
  dependencies: Pick<IamDependencies, "random" | "secrets">,
  wanted: NewServiceCredential,
): MadeServiceCredential {
  const service = requireOutsideService(wanted.service);
  const { sourceArn = "", nowMs, operatorAccountId, expiresMs } = wanted;
  const sourceAccountId = sourceAccountOf(wanted, sourceArn) ?? operatorAccountId;
  const warnings =
    sourceArn === ""
      ? [
          "no --source-arn: this credential can publish for any source of the account, and " +
            "policies that ask for aws:SourceArn do not let it in",
        ]
      : [];
  const facts = { service, sourceAccountId, sourceArn, createdMs: nowMs, expiresMs };
  return { ...newKey(dependencies, facts), warnings };
}

function sourceAccountOf(
  { sourceAccountId }: NewServiceCredential,
  sourceArn: string,
): string | undefined {
  if (sourceAccountId !== undefined && !/^\d{12}$/.test(sourceAccountId)) {
    throw operatorError("InvalidRequest", "--source-account has 12 digits");
  }
  if (sourceArn === "") return sourceAccountId;
  const arn = parseArn(sourceArn);
  if (!arn || arn.service === "" || arn.resource === "" || /[*?\s]/.test(sourceArn)) {
    throw operatorError("InvalidRequest", "--source-arn must be the ARN of one resource");
  }
  // ARNs of buckets name no account.
  if (arn.accountId === "") return sourceAccountId;
  if (sourceAccountId !== undefined && sourceAccountId !== arn.accountId) {
    throw operatorError(
      "InvalidRequest",
      `--source-arn is of account ${arn.accountId}, --source-account says ${sourceAccountId}`,
    );
  }
  return arn.accountId;
}

function newKey(
  { random, secrets }: Pick<IamDependencies, "random" | "secrets">,
  facts: Omit<ServiceCredentialRecord, "accessKeyId">,
) {
  const accessKeyId = newAccessKeyId(random);
  const secret = newSecretAccessKey(random);
  const { sourceAccountId: accountId, createdMs } = facts;
  const owner = { kind: "service" } as const;
  const key = accessKeyRecord(secrets, { accessKeyId, accountId, owner, createdMs }, secret);
  const secretAccessKey = secret.toString();
  secret.fill(0);
  const record = { ...facts, accessKeyId };
  const commands = [putAccessKey(key), serviceCredentials.put(installation, accessKeyId, record)];
  return { record, secretAccessKey, commands };
}

/** Throws NotFound. */
export async function requireServiceCredential(
  view: RecordView,
  accessKeyId: string,
): Promise<Readonly<ServiceCredentialRecord>> {
  const found = await serviceCredentials.get(view, installation, accessKeyId);
  if (found) return found;
  throw operatorError("NotFound", `there is no service credential ${accessKeyId}`);
}

/** The same right under a new key; the old one ends at `oldUntilMs` (system time), or at once. */
export function rotateServiceCredential(
  dependencies: Pick<IamDependencies, "random" | "secrets">,
  old: Readonly<ServiceCredentialRecord>,
  nowMs: number,
  oldUntilMs: number | undefined,
): Omit<MadeServiceCredential, "warnings"> {
  const { accessKeyId, ...facts } = old;
  const made = newKey(dependencies, { ...facts, createdMs: nowMs });
  const ending =
    oldUntilMs === undefined
      ? revokeServiceCredential(accessKeyId)
      : [
          serviceCredentials.put(installation, accessKeyId, {
            ...old,
            expiresMs: Math.min(old.expiresMs ?? oldUntilMs, oldUntilMs),
          }),
        ];
  return { ...made, commands: [...made.commands, ...ending] };
}

export function revokeServiceCredential(accessKeyId: string): readonly Command[] {
  return [
    accessKeys.remove(installation, accessKeyId),
    serviceCredentials.remove(installation, accessKeyId),
  ];
}

export async function listServiceCredentials(
  view: RecordView,
): Promise<readonly Readonly<ServiceCredentialRecord>[]> {
  return (await serviceCredentials.list(view, installation)).map(({ value }) => value);
}
