import type { CarrierAnswer, Mail } from "../services/sns/ports.ts";
import { judgeError } from "./outcome.ts";
import type { Targets } from "./targets.ts";

const timeoutMs = 15_000;
const defaultSender = "no-reply@sealpost.invalid";

/**
 * Checks `--smtp`. Throws Error with the reason, which never repeats the address: it may hold a
 * password.
 */
export function checkSmtpUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === "") {
    throw new Error("must be smtp://[user:password@]host[:port][?from=address] or smtps://…");
  }
}

/**
 * Hands a mail to the operator's mail server: `smtp://` with STARTTLS where it is offered (always,
 * before a password), `smtps://` with TLS from the start. Answers, never throws.
 */
export async function carryMail(
  targets: Targets,
  smtp: string | undefined,
  mail: Mail,
): Promise<CarrierAnswer> {
  if (smtp === undefined) {
    const text = "no mail server is known; --smtp names one";
    return { ok: false, code: "SmtpUnknown", text, retryable: true };
  }
  const url = new URL(smtp);
  const secure = url.protocol === "smtps:";
  const port = url.port === "" ? (secure ? 465 : 587) : Number(url.port);
  const user = decodeURIComponent(url.username);
  try {
    const { address } = await targets.resolve(url.hostname, port);
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      // The address that was checked; the certificate is still that of the name.
      host: address,
      port,
      secure,
      requireTLS: !secure && user !== "",
      tls: { servername: url.hostname },
      ...(user === "" ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const sent = await transport.sendMail({
      from: {
        name: oneLine(mail.fromName),
        address: url.searchParams.get("from") ?? defaultSender,
      },
      to: { name: "", address: oneLine(mail.to) },
      subject: oneLine(mail.subject),
      text: mail.text,
    });
    transport.close();
    return { ok: true, statusCode: 250, response: oneLine(String(sent.response)) };
  } catch (error) {
    return judgeMail(error);
  }
}

/** INVARIANT: no line break of a user reaches the head of a mail. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
}

/** Mail servers mean 4xx as "later" and 5xx as "never". */
function judgeMail(error: unknown): CarrierAnswer {
  const status: unknown = error instanceof Error ? Reflect.get(error, "responseCode") : undefined;
  if (typeof status !== "number") return judgeError(error);
  const text = oneLine(error instanceof Error ? error.message : "").slice(0, 200);
  return { ok: false, code: `SMTP${status}`, text, retryable: status < 500, statusCode: status };
}
