import { globalContext, type PolicyCaller } from "../../auth/policy/index.ts";
import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { ConditionContext } from "../../kernel/operation.ts";
import { invalidInput } from "./refusals.ts";

/** Who a simulated request comes from. */
export type SimulatedCaller = Exclude<
  PolicyCaller,
  { kind: "service" | "anonymous" | "web-identity" | "federated-user" }
>;

/** A caller of whom nothing but the ARN is known. Throws InvalidInput. */
export function callerByArn(arn: string): SimulatedCaller {
  const parsed = parseArn(arn);
  const { accountId = "", resource = "" } = parsed ?? {};
  const name = resource.slice(resource.lastIndexOf("/") + 1);
  const shared = { accountId, arn, accessKeyId: "" };
  if (parsed?.service === "iam" && resource === "root") {
    return { ...shared, kind: "root", principalId: accountId };
  }
  if (parsed?.service === "iam" && resource.startsWith("user/")) {
    return { ...shared, kind: "user", principalId: arn, userName: name, tags: {} };
  }
  if (parsed?.service === "iam" && resource.startsWith("role/")) {
    const role = { roleArn: arn, roleId: arn, sessionName: name, principalId: arn, tags: {} };
    return { ...shared, ...role, kind: "role-session" };
  }
  throw invalidInput(`Invalid caller ARN: ${arn}`);
}

/** Keys that only a real request knows: the simulator has them where they are given. */
const ofRequest = [
  "aws:securetransport",
  "aws:sourceip",
  "aws:useragent",
  "aws:requestedregion",
  "aws:resourceaccount",
  "aws:viaawsservice",
  "aws:principalisawsservice",
  "aws:sourceowner",
];

/** What follows from who calls and when; everything else must be given. */
export function callerContext(call: Call, caller: SimulatedCaller): ConditionContext {
  const { now: nowMs, region } = call;
  const transport = { secure: true, sourceIp: "", userAgent: "" };
  const keys = globalContext({ caller, transport, nowMs, region, service: "iam" });
  return Object.fromEntries(Object.entries(keys).filter(([name]) => !ofRequest.includes(name)));
}
