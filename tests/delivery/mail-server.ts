import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface MailServer {
  readonly port: number;
  /** What clients said, line by line. */
  readonly lines: string[];
  refuse: string | undefined;
}

/** As much of SMTP as one mail needs. */
export async function startMailServer(t: TestContext): Promise<MailServer> {
  const mails: MailServer = { port: 0, lines: [], refuse: undefined };
  const talk = (socket: Socket) => {
    let data = false;
    let rest = "";
    const say = (text: string) => socket.write(`${text}\r\n`);
    say("220 test");
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const lines = (rest + chunk.toString()).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        mails.lines.push(line);
        if (data) {
          if (line !== ".") continue;
          data = false;
          say("250 taken");
        } else if (line.startsWith("RCPT") && mails.refuse) say(mails.refuse);
        else if (line === "DATA") {
          data = true;
          say("354 go on");
        } else if (line === "QUIT") socket.end("221 bye\r\n");
        else say("250 fine");
      }
    });
  };
  const server = createServer(talk);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return Object.assign(mails, { port: (server.address() as AddressInfo).port });
}
