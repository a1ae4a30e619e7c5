import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";

/** Operations that come with a later issue: a clear refusal, never a wrong success. */
export function moveTaskOperations(): readonly Operation<object, object>[] {
  return [
    notYet("StartMessageMoveTask", "write"),
    notYet("CancelMessageMoveTask", "write"),
    notYet("ListMessageMoveTasks", "read"),
  ];
}

function notYet(name: string, access: "read" | "write"): Operation<object, object> {
  const refuse = () => {
    throw new Refusal(
      "UnsupportedOperation",
      `${name} is not available in this version of Sealpost yet. Messages reach a dead-letter ` +
        "queue by its source's RedrivePolicy; to move them back, receive and send them.",
    );
  };
  const audit = { category: "management", readOnly: access === "read" } as const;
  return { name, access, audit, resources: refuse, handle: refuse };
}
