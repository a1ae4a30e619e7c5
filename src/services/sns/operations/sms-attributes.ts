import type {
  GetSMSAttributesInput,
  GetSMSAttributesResponse,
  SetSMSAttributesInput,
} from "@aws-sdk/client-sns";
import type { AnyOperation, Operation } from "../../../kernel/operation.ts";
import { recordKind } from "../../../kernel/records.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { invalidParameter } from "../errors.ts";
import { accountUses, callScope } from "../topics.ts";

/** Preferences of an account for messages to phones. DIFFERS: kept and shown; no phone is reached. */
const smsAttributes = recordKind<Readonly<Record<string, string>>>("sns.sms-attributes");
const recordId = "preferences";

const checks: Readonly<Record<string, RegExp>> = {
  MonthlySpendLimit: /^\d{1,9}$/,
  DeliveryStatusIAMRole: /^(arn:[^:]+:iam::\d{12}:role\/.+)?$/,
  DeliveryStatusSuccessSamplingRate: /^(\d|[1-9]\d|100)$/,
  DefaultSenderID: /^([A-Za-z0-9-]{1,11})?$/,
  DefaultSMSType: /^(Promotional|Transactional)$/,
  UsageReportS3Bucket: /^[a-z0-9.-]{0,63}$/,
};

export function smsAttributeOperations(): readonly AnyOperation[] {
  return [setAttributes(), getAttributes()];
}

function setAttributes(): Operation<Wire<SetSMSAttributesInput>, object> {
  return {
    name: "SetSMSAttributes",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["attributes"] },
    resources: (_input, call) => accountUses(call),
    async handle({ attributes }, call) {
      for (const [name, value] of Object.entries(attributes)) {
        // AWS?: the texts.
        if (!Object.hasOwn(checks, name))
          throw invalidParameter(`${name} is not a valid attribute`);
        if (!checks[name]?.test(value))
          throw invalidParameter(`${name} Reason: ${value} is invalid`);
      }
      const scope = callScope(call);
      const before = await smsAttributes.get(call.records, scope, recordId);
      const commands = [smsAttributes.put(scope, recordId, { ...before, ...attributes })];
      return { output: {}, commands };
    },
  };
}

function getAttributes(): Operation<Wire<GetSMSAttributesInput>, Wire<GetSMSAttributesResponse>> {
  return {
    name: "GetSMSAttributes",
    access: "read",
    audit: { category: "management", readOnly: true },
    resources: (_input, call) => accountUses(call),
    async handle({ attributes: names = [] }, call) {
      const all = (await smsAttributes.get(call.records, callScope(call), recordId)) ?? {};
      const wanted = Object.entries(all).filter(
        ([name]) => names.length === 0 || names.includes(name),
      );
      return { output: { attributes: Object.fromEntries(wanted) } };
    },
  };
}
