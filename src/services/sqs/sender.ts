import { hash } from "node:crypto";
import type { Call } from "../../kernel/call.ts";

/**
 * SenderId of a message. AWS: the unique id of a user or role; the account id for root.
 * AWS?: services show an id of AWS's own form; here one that stays the same per service. An
 * anonymous sender is shown by its address, as the API reference says.
 */
export function senderId(call: Call): string {
  const { caller } = call;
  switch (caller.kind) {
    case "service":
      return serviceId(caller.service);
    case "anonymous":
      return call.transport.sourceIp;
    default:
      return caller.principalId;
  }
}

const known = new Map<string, string>();
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const idChars = 17;

function serviceId(service: string): string {
  let id = known.get(service);
  if (id === undefined) {
    const digest = hash("sha256", `sqs sender ${service}`, "buffer");
    const text = Array.from(digest.subarray(0, idChars), (byte) => alphabet[byte % 32]).join("");
    id = `AIDA${text}`;
    known.set(service, id);
  }
  return id;
}
