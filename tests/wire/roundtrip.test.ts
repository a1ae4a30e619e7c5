// Goal: every operation of every service is read and written exactly as AWS's own client writes and
// reads it. Method: random valid inputs go out through the SDK's serializer and come in through our
// decoder; random outputs go out through our encoder and come in through the SDK's deserializer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { loadModel, serviceNames } from "../../src/wire/models.ts";
import type { OperationSchema, StructureSchema } from "../../src/wire/schema.ts";
import { schemasOf } from "../../src/wire/schema.ts";
import type { Protocol, WireService } from "../../src/wire/service.ts";
import { loadWireServices } from "../../src/wire/service.ts";
import { testRuns } from "../harness/runs.ts";
import type { SdkPeer } from "./support/sdk.ts";
import { comparable, sdkPeer, toSdk } from "./support/sdk.ts";
import { bodiesOf } from "./support/values.ts";

const services = loadWireServices();
const nothing: StructureSchema = { kind: "structure", name: "Nothing", members: [] };

for (const name of serviceNames) {
  const { json, query } = loadModel(name);
  if (json) describeService(name, "json");
  if (query) describeService(name, "query");
}

function describeService(name: string, protocol: Protocol): void {
  describe(`${name} (${protocol}): round trips with the SDK`, () => {
    const service = services.get(name);
    assert(service);
    const schemaOf = schemasOf(loadModel(name));
    for (const operation of service.operationNames) {
      it(operation, async () => {
        const peer = sdkPeer(name, protocol);
        try {
          await roundTrips(service, protocol, schemaOf(operation), peer);
        } finally {
          peer.close();
        }
      });
    }
  });
}

async function roundTrips(
  service: WireService,
  protocol: Protocol,
  operation: OperationSchema,
  peer: SdkPeer,
) {
  const output = operation.output ?? nothing;
  const isQuery = protocol === "query";
  const inputs = bodiesOf(operation.input, { emptyParts: !isQuery, xmlText: false });
  const outputs = bodiesOf(output, { emptyParts: true, xmlText: isQuery });
  const property = fc.asyncProperty(inputs, outputs, async (sent, answered) => {
    const given = isQuery ? withoutSynonym(sent) : sent;
    let read: unknown;
    const answer = await peer.exchange(
      operation.name,
      toSdk(operation.input, given) as object,
      (request) => {
        assert.equal(service.protocolOf(request), protocol);
        assert.deepEqual(service.identify(request), { operation: operation.name, protocol });
        read = service.decode(operation.name, protocol, request);
        return service.encode(operation.name, protocol, answered, "request-1");
      },
    );
    assert.deepEqual(comparable(operation.input, read), comparable(operation.input, given));
    const omitsEmpty = service.name === "sqs";
    assert.deepEqual(comparable(output, answer), comparable(output, answered, omitsEmpty));
  });
  await fc.assert(property, { numRuns: testRuns(10) });
}

/** The SDK's schema gives two members of ReceiveMessage one name; our model does not. */
function withoutSynonym(input: object): object {
  const { MessageSystemAttributeNames: _, ...rest } = input as Record<string, unknown>;
  return rest;
}
