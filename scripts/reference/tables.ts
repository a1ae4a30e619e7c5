import type { AnyOperation, ServiceTable } from "../../src/kernel/operation.ts";
import { createCloudtrail } from "../../src/services/cloudtrail/service.ts";
import { createIam } from "../../src/services/iam/service.ts";
import { createKms } from "../../src/services/kms/service.ts";
import { createSns } from "../../src/services/sns/service.ts";
import { createSqs } from "../../src/services/sqs/service.ts";
import { createSts } from "../../src/services/sts/service.ts";
import { loadModel, serviceNames } from "../../src/wire/service.ts";

/** What a page says of an operation: the model's, and ours if it is built. */
export interface OperationLine {
  readonly service: string;
  readonly name: string;
  readonly operation: AnyOperation | undefined;
}

/** Operations of every model, built or not. */
export function operationLines(): OperationLine[] {
  const tables = serviceTables();
  return serviceNames.flatMap((service) =>
    Object.keys(loadModel(service).operations)
      .sort()
      .map((name) => ({ service, name, operation: tables.get(service)?.operations.get(name) })),
  );
}

/** The tables as data: made with dependencies that nothing here calls. */
function serviceTables(): ReadonlyMap<string, ServiceTable> {
  const unused = new Proxy(() => unused, { get: () => unused, apply: () => unused }) as never;
  const tables = [
    createKms(unused),
    createIam(unused),
    createSts(unused),
    createSns(unused),
    createSqs(unused).table,
    createCloudtrail(unused),
  ];
  return new Map(tables.map((table) => [table.name, table]));
}
