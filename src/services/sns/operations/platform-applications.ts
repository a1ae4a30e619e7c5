import type {
  CreatePlatformApplicationInput,
  CreatePlatformApplicationResponse,
  DeletePlatformApplicationInput,
  GetPlatformApplicationAttributesInput,
  GetPlatformApplicationAttributesResponse,
  ListPlatformApplicationsInput,
  ListPlatformApplicationsResponse,
  SetPlatformApplicationAttributesInput,
} from "@aws-sdk/client-sns";
import type { AnyOperation, Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { invalidParameter } from "../errors.ts";
import { pageOf, pageRange } from "../paging.ts";
import {
  applicationArn,
  applicationKind,
  applicationReference,
  endpointKind,
  mergePush,
  type PushAttributes,
  platforms,
  pushUses,
  requireApplication,
} from "../push.ts";
import { accountUses, callScope } from "../topics.ts";

/**
 * AWS: applications on push platforms. DIFFERS: nothing is sent to a platform; messages for their
 * endpoints go to the sealed outbox.
 */
export function platformApplicationOperations(): readonly AnyOperation[] {
  return [create(), remove(), getAttributes(), setAttributes(), list()];
}

/** Never shown again. */
const credentials = ["PlatformPrincipal", "PlatformCredential"];
const known = new Set([
  ...credentials,
  "ApplePlatformBundleID",
  "ApplePlatformTeamID",
  "Enabled",
  "EventEndpointCreated",
  "EventEndpointDeleted",
  "EventEndpointUpdated",
  "EventDeliveryFailure",
  "SuccessFeedbackRoleArn",
  "FailureFeedbackRoleArn",
  "SuccessFeedbackSampleRate",
]);

function merged(before: PushAttributes, given: Readonly<Record<string, string>>): PushAttributes {
  const whole = mergePush(before, given, known);
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !credentials.includes(name)));
}

function create(): Operation<
  Wire<CreatePlatformApplicationInput>,
  Wire<CreatePlatformApplicationResponse>
> {
  return {
    name: "CreatePlatformApplication",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["Name", "Platform"],
      response: ["PlatformApplicationArn"],
    },
    resources: (_input, call) => accountUses(call),
    async handle({ Name, Platform, Attributes }, call) {
      // AWS?: the texts of this operation.
      if (!/^[A-Za-z0-9._-]{1,256}$/.test(Name)) throw invalidParameter("Name Reason: invalid");
      if (!platforms.some((platform) => platform === Platform)) {
        throw invalidParameter(`Platform Reason: ${Platform} is not supported`);
      }
      if (!Attributes.PlatformCredential) {
        throw invalidParameter("PlatformCredential Reason: Platform credential is required");
      }
      const scope = callScope(call);
      const id = `${Platform}/${Name}`;
      const arn = applicationArn(scope, id);
      const before = await applicationKind.get(call.records, scope, id);
      const attributes = merged(before?.attributes ?? { Enabled: "true" }, Attributes);
      return {
        output: { PlatformApplicationArn: arn },
        commands: [applicationKind.put(scope, id, { arn, attributes })],
      };
    },
  };
}

function remove(): Operation<Wire<DeletePlatformApplicationInput>, object> {
  return {
    name: "DeletePlatformApplication",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["PlatformApplicationArn"] },
    resources: ({ PlatformApplicationArn: arn }, call) => pushUses(applicationReference(call, arn)),
    async handle({ PlatformApplicationArn }, call) {
      const { scope, id } = applicationReference(call, PlatformApplicationArn);
      const endpoints = await endpointKind.list(call.records, scope, { idPrefix: `${id}/` });
      return {
        output: {},
        commands: [
          applicationKind.remove(scope, id),
          ...endpoints.map((endpoint) => endpointKind.remove(scope, endpoint.id)),
        ],
      };
    },
  };
}

function getAttributes(): Operation<
  Wire<GetPlatformApplicationAttributesInput>,
  Wire<GetPlatformApplicationAttributesResponse>
> {
  return {
    name: "GetPlatformApplicationAttributes",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["PlatformApplicationArn"] },
    resources: ({ PlatformApplicationArn: arn }, call) => pushUses(applicationReference(call, arn)),
    async handle({ PlatformApplicationArn }, call) {
      const reference = applicationReference(call, PlatformApplicationArn);
      const { attributes } = await requireApplication(call, reference);
      return { output: { Attributes: { ...attributes } } };
    },
  };
}

function setAttributes(): Operation<Wire<SetPlatformApplicationAttributesInput>, object> {
  return {
    name: "SetPlatformApplicationAttributes",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["PlatformApplicationArn"] },
    resources: ({ PlatformApplicationArn: arn }, call) => pushUses(applicationReference(call, arn)),
    async handle({ PlatformApplicationArn, Attributes }, call) {
      const reference = applicationReference(call, PlatformApplicationArn);
      const { arn, attributes } = await requireApplication(call, reference);
      const after = { arn, attributes: merged(attributes, Attributes) };
      return {
        output: {},
        commands: [applicationKind.put(reference.scope, reference.id, after)],
      };
    },
  };
}

function list(): Operation<
  Wire<ListPlatformApplicationsInput>,
  Wire<ListPlatformApplicationsResponse>
> {
  return {
    name: "ListPlatformApplications",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["NextToken"] },
    resources: (_input, call) => accountUses(call),
    async handle(input, call) {
      const range = pageRange(input.NextToken);
      const found = await applicationKind.list(call.records, callScope(call), range);
      const { page, NextToken } = pageOf(found);
      const PlatformApplications = page.map(({ value: { arn, attributes } }) => ({
        PlatformApplicationArn: arn,
        Attributes: { ...attributes },
      }));
      return { output: { PlatformApplications, NextToken } };
    },
  };
}
