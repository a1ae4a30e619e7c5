import type {
  CreateEndpointResponse,
  CreatePlatformEndpointInput,
  DeleteEndpointInput,
  GetEndpointAttributesInput,
  GetEndpointAttributesResponse,
  ListEndpointsByPlatformApplicationInput,
  ListEndpointsByPlatformApplicationResponse,
  SetEndpointAttributesInput,
} from "@aws-sdk/client-sns";
import type { AnyOperation, Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { invalidParameter } from "../errors.ts";
import { pageOf, pageRange } from "../paging.ts";
import type { SnsDependencies } from "../ports.ts";
import {
  applicationReference,
  endpointArn,
  endpointKind,
  endpointReference,
  mergePush,
  type PushAttributes,
  pushUses,
  requireApplication,
  requireEndpoint,
} from "../push.ts";

/** AWS: devices of an application on a push platform. */
export function platformEndpointOperations(deps: SnsDependencies): readonly AnyOperation[] {
  return [create(deps), remove(), getAttributes(), setAttributes(), list()];
}

const known = new Set(["Enabled", "Token", "CustomUserData"]);
/** AWS: bytes of CustomUserData. */
const userDataBytesMax = 2048;

function merged(before: PushAttributes, given: Readonly<Record<string, string>>): PushAttributes {
  const after = mergePush(before, given, known);
  if (Buffer.byteLength(after.CustomUserData ?? "") > userDataBytesMax) {
    // AWS?: the text.
    throw invalidParameter("CustomUserData Reason: Must be at most 2048 bytes long");
  }
  if (!after.Token) throw invalidParameter("Token Reason: no value for required parameter");
  return after;
}

function create({
  random,
}: SnsDependencies): Operation<Wire<CreatePlatformEndpointInput>, Wire<CreateEndpointResponse>> {
  return {
    name: "CreatePlatformEndpoint",
    access: "write",
    // A device's token is nobody else's business.
    audit: {
      category: "management",
      readOnly: false,
      request: ["PlatformApplicationArn"],
      response: ["EndpointArn"],
    },
    resources: ({ PlatformApplicationArn: arn }, call) => pushUses(applicationReference(call, arn)),
    async handle({ PlatformApplicationArn, Token, CustomUserData, Attributes = {} }, call) {
      const application = applicationReference(call, PlatformApplicationArn);
      await requireApplication(call, application);
      const given = { ...Attributes, Token, ...(CustomUserData && { CustomUserData }) };
      const attributes = merged({ Enabled: "true" }, given);
      const { scope } = application;
      const prefix = { idPrefix: `${application.id}/` };
      const all = await endpointKind.list(call.records, scope, prefix);
      const same = all.find(({ value }) => value.attributes.Token === Token)?.value;
      if (same && !isSame(same.attributes, attributes)) {
        throw invalidParameter(
          `Token Reason: Endpoint ${same.arn} already exists with the same Token, ` +
            "but different attributes.",
        );
      }
      if (same) return { output: { EndpointArn: same.arn } };
      const id = `${application.id}/${random.uuid()}`;
      const arn = endpointArn(scope, id);
      return {
        output: { EndpointArn: arn },
        commands: [endpointKind.put(scope, id, { arn, attributes })],
      };
    },
  };
}

function isSame(left: PushAttributes, right: PushAttributes): boolean {
  return [...known].every((name) => left[name] === right[name]);
}

function remove(): Operation<Wire<DeleteEndpointInput>, object> {
  return {
    name: "DeleteEndpoint",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["EndpointArn"] },
    resources: ({ EndpointArn }, call) => pushUses(endpointReference(call, EndpointArn)),
    handle({ EndpointArn }, call) {
      const { scope, id } = endpointReference(call, EndpointArn);
      return { output: {}, commands: [endpointKind.remove(scope, id)] };
    },
  };
}

function getAttributes(): Operation<
  Wire<GetEndpointAttributesInput>,
  Wire<GetEndpointAttributesResponse>
> {
  return {
    name: "GetEndpointAttributes",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["EndpointArn"] },
    resources: ({ EndpointArn }, call) => pushUses(endpointReference(call, EndpointArn)),
    async handle({ EndpointArn }, call) {
      const { attributes } = await requireEndpoint(call, endpointReference(call, EndpointArn));
      return { output: { Attributes: { ...attributes } } };
    },
  };
}

function setAttributes(): Operation<Wire<SetEndpointAttributesInput>, object> {
  return {
    name: "SetEndpointAttributes",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["EndpointArn"] },
    resources: ({ EndpointArn }, call) => pushUses(endpointReference(call, EndpointArn)),
    async handle({ EndpointArn, Attributes }, call) {
      const { scope, id } = endpointReference(call, EndpointArn);
      const { arn, attributes } = await requireEndpoint(call, endpointReference(call, EndpointArn));
      const after = { arn, attributes: merged(attributes, Attributes) };
      return { output: {}, commands: [endpointKind.put(scope, id, after)] };
    },
  };
}

function list(): Operation<
  Wire<ListEndpointsByPlatformApplicationInput>,
  Wire<ListEndpointsByPlatformApplicationResponse>
> {
  return {
    name: "ListEndpointsByPlatformApplication",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["PlatformApplicationArn"] },
    resources: ({ PlatformApplicationArn: arn }, call) => pushUses(applicationReference(call, arn)),
    async handle({ PlatformApplicationArn, NextToken: token }, call) {
      const application = applicationReference(call, PlatformApplicationArn);
      await requireApplication(call, application);
      const range = { ...pageRange(token), idPrefix: `${application.id}/` };
      const found = await endpointKind.list(call.records, application.scope, range);
      const { page, NextToken } = pageOf(found);
      const Endpoints = page.map(({ value: { arn, attributes } }) => ({
        EndpointArn: arn,
        Attributes: { ...attributes },
      }));
      return { output: { Endpoints, NextToken } };
    },
  };
}
