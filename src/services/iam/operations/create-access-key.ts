import type { CreateAccessKeyRequest, CreateAccessKeyResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  accessKeyRecord,
  heldKeyIds,
  holderName,
  keyHolderUse,
  ownerOf,
  putAccessKey,
  putHeldKeyIds,
  requireKeyHolder,
} from "../access-keys.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newAccessKeyId, newSecretAccessKey } from "../identifiers.ts";
import { limitExceeded } from "../refusals.ts";
import { auditDate } from "../users.ts";

const accessKeysMax = 2;

export function createAccessKey(
  dependencies: IamDependencies,
): Operation<Wire<CreateAccessKeyRequest>, Wire<CreateAccessKeyResponse>> {
  return {
    name: "CreateAccessKey",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      secret: true,
      request: ["UserName"],
      response: ({ AccessKey: key }) => ({
        accessKey: {
          userName: key.UserName,
          accessKeyId: key.AccessKeyId,
          status: key.Status,
          createDate: key.CreateDate === undefined ? null : auditDate(key.CreateDate),
        },
      }),
    },
    resources: async (input, call) => [await keyHolderUse(call, input.UserName)],
    async handle(input, call) {
      const holder = await requireKeyHolder(call, input.UserName);
      const held = heldKeyIds(holder);
      if (held.length >= accessKeysMax) {
        throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${accessKeysMax}`);
      }
      const accessKeyId = newAccessKeyId(dependencies.random);
      const secret = newSecretAccessKey(dependencies.random);
      const { accountId, now: createdMs } = call;
      const facts = { accessKeyId, accountId, owner: ownerOf(holder), createdMs };
      const record = accessKeyRecord(dependencies.secrets, facts, secret);
      const SecretAccessKey = secret.toString();
      secret.fill(0);
      const shown = {
        UserName: holderName(holder) ?? "",
        AccessKeyId: accessKeyId,
        Status: record.status,
        SecretAccessKey,
        CreateDate: createdMs,
      };
      const commands = [putAccessKey(record), putHeldKeyIds(holder, [...held, accessKeyId])];
      return { output: { AccessKey: shown }, commands };
    },
  };
}
