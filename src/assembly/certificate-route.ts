import type { Handler, HttpExchange, HttpReply } from "../gateway/exchange.ts";
import type { Signer } from "../signing/signer.ts";

/**
 * `GET /SimpleNotificationService-….pem`: the certificate that receivers of notifications verify
 * signatures with. Open to everyone, like AWS's.
 */
export function certificateRoute(signer: Signer, front: Handler): Handler {
  return {
    admit: (exchange) =>
      asksForCertificate(exchange) ? answer(signer, exchange) : front.admit(exchange),
    handle: (exchange, body, context) => front.handle(exchange, body, context),
    refuse: (exchange, refusal) => front.refuse(exchange, refusal),
  };
}

function asksForCertificate({ method, path }: HttpExchange): boolean {
  return method === "GET" && path.startsWith("/SimpleNotificationService-");
}

async function answer(signer: Signer, { path }: HttpExchange): Promise<{ refuse: HttpReply }> {
  const pem = await signer.certificateAt(path);
  if (pem === undefined) return { refuse: { status: 404, headers: {}, body: "" } };
  const headers = { "content-type": "application/x-pem-file" };
  return { refuse: { status: 200, headers, body: pem } };
}
