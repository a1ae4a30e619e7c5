/** `vpce-ID=HOST:PORT[,policy=FILE][,vpc=vpc-ID]` */
export interface EndpointSetting {
  readonly endpointId: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly policyFile: string | undefined;
  readonly vpcId: string | undefined;
}

const form = "vpce-ID=HOST:PORT[,policy=FILE][,vpc=vpc-ID]";

/** Reads one private endpoint. Throws Error with the reason. */
export function parseEndpoint(text: string): EndpointSetting {
  const [address = "", ...options] = text.split(",");
  const match = /^(vpce-[A-Za-z0-9-]{1,64})=(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(
    address.trim(),
  );
  if (match === null) throw new Error(`must look like ${form}`);
  const [, endpointId = "", bracketed = "", portText = ""] = match;
  const port = Number(portText);
  if (port > 65_535) throw new Error(`${portText} is no port`);
  const found = new Map<string, string>();
  for (const option of options) {
    const equals = option.indexOf("=");
    const name = option.slice(0, Math.max(0, equals)).trim();
    const value = option.slice(equals + 1).trim();
    if ((name !== "policy" && name !== "vpc") || value === "") {
      throw new Error(`\`${option.trim()}\` is neither policy=FILE nor vpc=vpc-ID`);
    }
    if (found.has(name)) throw new Error(`${name} is given twice`);
    found.set(name, value);
  }
  const vpcId = found.get("vpc");
  if (vpcId !== undefined && !/^vpc-[A-Za-z0-9-]{1,64}$/.test(vpcId)) {
    throw new Error(`${vpcId} is no VPC id, which looks like vpc-0a1b2c`);
  }
  const host = bracketed.replace(/^\[(.*)\]$/, "$1");
  return { endpointId, host, port, policyFile: found.get("policy"), vpcId };
}
